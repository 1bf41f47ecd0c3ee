/* lib/engine/live.c - access and refresh tokens against the store: verifying
 * them live, introspection, revoking one that its holder shows. */
#include "../jose/verifier.h"
#include "../json/json.h"
#include "../model/family.h"
#include "classes_core.h"
#include "enrolment.h"

struct live {
    struct mru_cred cred; /* kind 0: it was a JWT */
    struct mru_buf header, payload;
    struct mru_jval head, claims;
    struct mru_family family;
};

static void live_free(struct live *live) {
    mru_family_free(&live->family);
    mru_buf_free(&live->header);
    mru_buf_free(&live->payload);
    mru_wipe(live, sizeof *live);
}

static int member_text(const struct mru_jval *object, const char *name,
                       char *out, size_t cap) {
    struct mru_jval value;
    size_t len;
    if (!mru_json_member(&value, object, name) ||
        mru_json_text(&value, out, cap - 1, &len) != 0)
        return -1;
    out[len] = '\0';
    return strlen(out) == len ? 0 : -1;
}

static mereau_status malformed(mereau_op *op) {
    return mru_refuse(&op->err, MEREAU_E_MALFORMED, "token.form", NULL,
                      "an access or refresh token of this library",
                      "something else");
}

/* What a JWT says of itself, not yet trusted: which records to read. */
static mereau_status peek(mereau_op *op, struct live *live, const char *token,
                          size_t len) {
    char sid[64], heads[64];
    uint8_t bytes[64];
    mereau_status status =
        mru_jws_peek(token, len, &live->header, &live->payload, &op->err);
    if (status != MEREAU_OK)
        return status;
    status = mru_json_check(&live->head, live->header.data, live->header.len,
                            &mru_json_default_limits, &op->err);
    if (status == MEREAU_OK)
        status =
            mru_json_check(&live->claims, live->payload.data, live->payload.len,
                           &mru_json_default_limits, &op->err);
    if (status != MEREAU_OK)
        return status;
    if (live->head.kind != 'o' || live->claims.kind != 'o' ||
        member_text(&live->claims, "sid", sid, sizeof sid) != 0 ||
        member_text(&live->claims, "mereau_heads", heads, sizeof heads) != 0 ||
        mru_id_read(live->cred.id, sid) != 0 ||
        mru_b64_decode(bytes, heads, strlen(heads)) != 3 * MRU_HEAD_LEN)
        return malformed(op);
    memcpy(live->cred.subject, bytes, MRU_HEAD_LEN);
    memcpy(live->cred.device, bytes + MRU_HEAD_LEN, MRU_HEAD_LEN);
    memcpy(live->cred.registration, bytes + 2 * MRU_HEAD_LEN, MRU_HEAD_LEN);
    return MEREAU_OK;
}

static mereau_status read_token(mereau_op *op, struct live *live) {
    size_t len;
    const char *token = (const char *)mru_bag_data(&op->in, MEREAU_TOKEN, &len);
    int32_t kind = mru_cred_kind(token, len);
    if (kind == 0)
        return peek(op, live, token, len);
    if (kind != MRU_CRED_ACCESS && kind != MRU_CRED_REFRESH)
        return mru_refuse(&op->err, MEREAU_E_KIND, "credential.kind", NULL,
                          "an access or refresh token",
                          "another kind of token");
    return mru_cred_parse(&live->cred, kind, token, len, &op->err);
}

/* Reads what the token concerns, at one instant. A JWT names its app: all comes
 * with the first get. */
static mereau_status load(mereau_op *op, struct live *live) {
    char client[256];
    mereau_status status;
    if (live->cred.kind != 0)
        return mru_family_load(op, &live->family, &live->cred, MRU_WITH_KEYS);
    if (member_text(&live->claims, "client_id", client, sizeof client) != 0 ||
        strlen(client) > 128)
        return malformed(op);
    status = mru_gather_want(op, MRU_WITH_KEYS | MRU_WITH_APP | MRU_WITH_FRESH,
                             client);
    if (status == MEREAU_OK)
        status = mru_family_read(op, &live->family, &live->cred, MRU_WITH_KEYS);
    if (status == MEREAU_OK &&
        strcmp(client, mru_bag_text(&live->family.record, MEREAU_CLIENT_ID)) !=
            0)
        status = mru_refuse(&op->err, MEREAU_E_CLAIM, "jwt.client_id", NULL,
                            "the app of its family", "another one");
    return status;
}

static mereau_status expired(mereau_op *op, const char *rule, int64_t ends) {
    char wanted[96], found[96];
    mru_say(wanted, sizeof wanted, "used before %lld", (long long)ends);
    mru_say(found, sizeof found, "used at %lld", (long long)op->now_at);
    return mru_refuse(&op->err, MEREAU_E_EXPIRED, rule, NULL, wanted, found);
}

/* The signature of a JWT of ours, by the key that its kid names. */
static mereau_status check_signature(mereau_op *op, const struct live *live) {
    size_t len, signed_len;
    const char *token = (const char *)mru_bag_data(&op->in, MEREAU_TOKEN, &len);
    const char *dot;
    const struct mru_ring_key *key;
    char kid[129], alg[16], typ[16];
    uint8_t sig[MRU_MAX_SIG + 2];
    ptrdiff_t sig_len;
    struct mru_jval crit;
    mereau_status status;
    if (member_text(&live->head, "kid", kid, sizeof kid) != 0 ||
        member_text(&live->head, "alg", alg, sizeof alg) != 0 ||
        member_text(&live->head, "typ", typ, sizeof typ) != 0 ||
        mru_json_member(&crit, &live->head, "crit"))
        return malformed(op);
    key = mru_keyring_find(live->family.above.keyring, kid);
    /* an app's key is good for its own tokens only */
    if (key == NULL || key->key == NULL || key->dropped ||
        (key->client_id != NULL &&
         strcmp(key->client_id,
                mru_bag_text(&live->family.record, MEREAU_CLIENT_ID)) != 0))
        return mru_refuse(&op->err, MEREAU_E_KEY_UNKNOWN, "jwt.kid", NULL,
                          "a key of this tenant", "an unknown or dropped one");
    if (strcmp(alg, mru_alg_name(key->alg)) != 0)
        return mru_refuse(&op->err, MEREAU_E_ALG, "jwt.alg", "RFC 8725 3.1",
                          mru_alg_name(key->alg), alg);
    if (strcmp(typ, "at+jwt") != 0 && strcmp(typ, "JWT") != 0)
        return mru_refuse(&op->err, MEREAU_E_KIND, "jwt.typ", "RFC 9068 4",
                          "at+jwt", typ);
    for (dot = token + len; dot > token && dot[-1] != '.';)
        dot--;
    signed_len = (size_t)(dot - token) - 1;
    if (len - signed_len - 1 > MRU_B64_LEN(MRU_MAX_SIG) ||
        (sig_len = mru_b64_decode(sig, dot, len - signed_len - 1)) < 0)
        return malformed(op);
    status = mru_key_verify(key->key, (const uint8_t *)token, signed_len, sig,
                            (size_t)sig_len);
    if (status == MEREAU_E_SIGNATURE)
        return mru_refuse(&op->err, MEREAU_E_SIGNATURE, "jwt.signature",
                          "RFC 7515 5.2", "the tenant's signature",
                          "another one");
    return status; /* without memory nothing is known of it */
}

/* A JWT from before its device was re-armed names the same record; a secret of
 * ours would not fit any more. */
static mereau_status check_life(mereau_op *op, const struct live *live) {
    struct mru_jval value;
    int64_t rearmed = 0;
    if (mru_json_member(&value, &live->claims, MRU_CLAIM_REARMED) &&
        mru_json_int(&value, &rearmed) != 0)
        return malformed(op);
    if (rearmed == mru_bag_int_or(&live->family.record, MRU_F_REARMED, 0))
        return MEREAU_OK;
    return mru_refuse(&op->err, MEREAU_E_REVOKED, "family.rearmed", NULL,
                      "a token of the device's last enrolment",
                      "one from before it was re-armed");
}

static mereau_status check_jwt(mereau_op *op, const struct live *live) {
    char iss[MEREAU_MAX_TEXT + 1], sub[MEREAU_MAX_TEXT + 1];
    struct mru_jval value;
    int64_t exp;
    mereau_status status = check_signature(op, live);
    if (status == MEREAU_OK)
        status = check_life(op, live);
    if (status != MEREAU_OK)
        return status;
    if (member_text(&live->claims, "iss", iss, sizeof iss) != 0 ||
        strcmp(iss, mru_bag_text(live->family.above.tenant, MEREAU_ISSUER)) !=
            0)
        return mru_refuse(&op->err, MEREAU_E_ISSUER, "jwt.iss", "RFC 9068 4",
                          "the tenant's issuer", "another one");
    if (member_text(&live->claims, "sub", sub, sizeof sub) != 0 ||
        strcmp(sub, mru_bag_text(&live->family.record, MEREAU_SUBJECT)) != 0)
        return mru_refuse(&op->err, MEREAU_E_CLAIM, "jwt.sub", NULL,
                          "the subject of its family", "another one");
    if (!mru_json_member(&value, &live->claims, "exp") ||
        mru_json_int(&value, &exp) != 0)
        return malformed(op);
    return op->now_at >= exp ? expired(op, "jwt.exp", exp) : MEREAU_OK;
}

/* A refresh token is live when it is the newest one. */
static mereau_status check_refresh(mereau_op *op, const struct live *live) {
    int64_t ends;
    const char *rule =
        mru_family_expired(&live->family.record, op->now_at, &ends);
    if (rule != NULL)
        return expired(op, rule, ends);
    if (live->cred.generation ==
        (uint32_t)mru_bag_int_or(&live->family.record, MRU_F_GENERATION, 0))
        return MEREAU_OK;
    return mru_refuse(&op->err, MEREAU_E_REVOKED, "refresh_token.rotated", NULL,
                      "the newest refresh token of its family", "another one");
}

static mereau_status check_kind(mereau_op *op, const struct live *live) {
    if (live->cred.kind == 0)
        return check_jwt(op, live);
    if (live->cred.kind == MRU_CRED_REFRESH)
        return check_refresh(op, live);
    if (op->now_at >= live->cred.expires_at)
        return expired(op, "access_token.expires_at", live->cred.expires_at);
    return MEREAU_OK;
}

/* --- what it says --- */

static void show_masks(mereau_op *op, const struct live *live, uint64_t scope,
                       uint64_t audience) {
    const struct mru_bag *record = &live->family.record;
    const char *granted = mru_bag_text(record, MEREAU_SCOPE);
    size_t n = mru_bag_count(record, MEREAU_AUDIENCE);
    struct mru_buf words = {0};
    if (granted != NULL && scope != 0 &&
        mru_scope_words(&words, granted, scope) == 0)
        mru_bag_set_data(&op->out, MEREAU_SCOPE, 'T', words.data, words.len);
    op->out.failed |= words.failed;
    mru_buf_free(&words);
    for (size_t i = 0; i < n && i < 64; i++)
        if ((audience >> i & 1) != 0) {
            const char *text = mru_bag_text_at(record, MEREAU_AUDIENCE, i);
            mru_bag_add_text(&op->out, MEREAU_AUDIENCE, text, strlen(text));
        }
    if (mru_bag_count(&op->out, MEREAU_AUDIENCE) == 0) {
        const char *iss =
            mru_bag_text(live->family.above.tenant, MEREAU_ISSUER);
        mru_bag_add_text(&op->out, MEREAU_AUDIENCE, iss, strlen(iss));
    }
}

static void show_claim_list(struct mru_bag *out, int32_t field,
                            const struct mru_jval *value) {
    struct mru_jval one;
    struct mru_buf text = {0};
    size_t at = 0;
    if (value->kind != 'a') {
        if (mru_json_add_text(&text, value) == 0)
            mru_bag_add_text(out, field, (const char *)text.data, text.len);
        mru_buf_free(&text);
        return;
    }
    while (mru_json_next(value, &at, NULL, &one)) {
        if (mru_json_add_text(&text, &one) == 0)
            mru_bag_add_text(out, field, (const char *)text.data, text.len);
        mru_buf_free(&text);
    }
}

static void show_jwt(mereau_op *op, const struct live *live) {
    struct mru_jval value;
    struct mru_buf text = {0};
    int64_t number;
    if (mru_json_member(&value, &live->claims, "scope") &&
        mru_json_add_text(&text, &value) == 0)
        mru_bag_set_data(&op->out, MEREAU_SCOPE, 'T', text.data, text.len);
    mru_buf_free(&text);
    if (mru_json_member(&value, &live->claims, "jti") &&
        mru_json_add_text(&text, &value) == 0)
        mru_bag_set_data(&op->out, MEREAU_JTI, 'T', text.data, text.len);
    mru_buf_free(&text);
    if (mru_json_member(&value, &live->claims, "aud"))
        show_claim_list(&op->out, MEREAU_AUDIENCE, &value);
    if (mru_json_member(&value, &live->claims, "iat") &&
        mru_json_int(&value, &number) == 0)
        mru_bag_set_int(&op->out, MEREAU_ISSUED_AT, 'I', number);
    if (mru_json_member(&value, &live->claims, "exp") &&
        mru_json_int(&value, &number) == 0)
        mru_bag_set_int(&op->out, MEREAU_EXPIRES_AT, 'I', number);
    mru_bag_set_data(&op->out, MEREAU_CLAIMS, 'J', live->payload.data,
                     live->payload.len);
}

static void show(mereau_op *op, const struct live *live) {
    const struct mru_bag *record = &live->family.record;
    char id[MRU_ID_TEXT], jti[MRU_ID_TEXT];
    int64_t ends;
    mru_id_print(id, live->family.key.data + 1);
    mru_bag_copy(&op->out, record, MEREAU_CLIENT_ID);
    mru_bag_copy(&op->out, record, MEREAU_SUBJECT);
    mru_bag_copy(&op->out, record, MEREAU_DEVICE_ID);
    mru_bag_copy(&op->out, record, MEREAU_DEVICE_JKT);
    mru_bag_set_text(&op->out, MEREAU_FAMILY_ID, id);
    if (live->cred.kind == 0) {
        show_jwt(op, live);
    } else if (live->cred.kind == MRU_CRED_ACCESS) {
        show_masks(op, live, live->cred.scope_mask, live->cred.audience_mask);
        if (mru_access_jti(jti, &live->family, live->cred.generation) != 0)
            op->out.failed = 1;
        mru_bag_set_text(&op->out, MEREAU_JTI, jti);
        mru_bag_set_int(&op->out, MEREAU_ISSUED_AT, 'I', live->cred.issued_at);
        mru_bag_set_int(&op->out, MEREAU_EXPIRES_AT, 'I',
                        live->cred.expires_at);
    } else {
        show_masks(op, live, UINT64_MAX, UINT64_MAX);
        ends = mru_enrolment_ends(record);
        mru_bag_set_int(&op->out, MEREAU_EXPIRES_AT, 'I', ends);
    }
}

/* --- verifying --- */

static mereau_status verify(mereau_op *op, struct live *live) {
    mereau_status status = read_token(op, live);
    if (status == MEREAU_OK)
        status = load(op, live);
    if (status == MEREAU_OK)
        status = mru_family_check(op, &live->family);
    if (status == MEREAU_OK)
        status = check_kind(op, live);
    if (status == MEREAU_OK)
        show(op, live);
    return status;
}

static mereau_status check_wants(mereau_op *op) {
    size_t n = mru_bag_count(&op->in, MEREAU_AUDIENCE), i = 0;
    const char *scope = mru_bag_text(&op->in, MEREAU_SCOPE);
    const char *has = mru_bag_text(&op->out, MEREAU_SCOPE);
    const char *jkt = mru_bag_text(&op->out, MEREAU_DEVICE_JKT);
    const char *given = mru_bag_text(&op->in, MEREAU_DEVICE_JKT);
    uint64_t mask;
    while (i < n &&
           !mru_bag_lists(&op->out, MEREAU_AUDIENCE,
                          mru_bag_text_at(&op->in, MEREAU_AUDIENCE, i)))
        i++;
    if (n > 0 && i == n)
        return mru_refuse(&op->err, MEREAU_E_AUDIENCE, "token.audience",
                          "RFC 9068 4", "a token for this audience",
                          "one for another");
    if (scope != NULL &&
        mru_scope_mask(has == NULL ? "" : has, scope, &mask) != 0)
        return mru_refuse(&op->err, MEREAU_E_SCOPE, "token.scope",
                          "RFC 6750 3.1", scope, has == NULL ? "none" : has);
    if (jkt != NULL && (given == NULL || strcmp(jkt, given) != 0))
        return mru_refuse(&op->err, MEREAU_E_DEVICE, "token.device_key",
                          "RFC 9449 7.1", "proof of the device's key",
                          given == NULL ? "none" : "another key");
    return MEREAU_OK;
}

static mereau_status decide_verify_live(mereau_op *op) {
    struct live live;
    mereau_status status;
    memset(&live, 0, sizeof live);
    status = verify(op, &live);
    if (status == MEREAU_OK)
        status = check_wants(op);
    live_free(&live);
    return status;
}

/* The answer of RFC 7662 section 2.2, under its names. */
static int print_introspection(mereau_op *op) {
    static const struct {
        int32_t field;
        const char *name;
    } members[] = {{MEREAU_SCOPE, "scope"},   {MEREAU_CLIENT_ID, "client_id"},
                   {MEREAU_SUBJECT, "sub"},   {MEREAU_JTI, "jti"},
                   {MEREAU_ISSUED_AT, "iat"}, {MEREAU_EXPIRES_AT, "exp"},
                   {MEREAU_FAMILY_ID, "sid"}, {MEREAU_DEVICE_ID, "device_id"}};
    const struct mru_bag *out = &op->out;
    mru_jdoc *doc = mru_jdoc_object(), *list;
    int failed = mru_jdoc_add_bool(doc, "active",
                                   mru_bag_int_or(out, MEREAU_ACTIVE, 0) != 0);
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        const struct mru_item *item = mru_bag_find(out, members[i].field);
        if (item != NULL && item->type == 'I')
            failed |= mru_jdoc_add_int(doc, members[i].name, item->num);
        else if (item != NULL)
            failed |= mru_jdoc_add_text(doc, members[i].name,
                                        (const char *)item->data);
    }
    if (mru_bag_count(out, MEREAU_AUDIENCE) > 0) {
        list = mru_jdoc_array();
        for (size_t i = 0; i < mru_bag_count(out, MEREAU_AUDIENCE); i++)
            failed |= mru_jdoc_add_text(
                list, NULL, mru_bag_text_at(out, MEREAU_AUDIENCE, i));
        failed |= mru_jdoc_add_doc(doc, "aud", list);
    }
    mru_buf_free(&op->wire);
    failed |= mru_jdoc_print(&op->wire, doc);
    mru_jdoc_free(doc);
    return failed;
}

/* Not good is an answer, not a refusal; a failing host or library is none. */
static mereau_status decide_introspect(mereau_op *op) {
    struct live live;
    mereau_status status;
    char rule[sizeof op->err.rule];
    memset(&live, 0, sizeof live);
    status = verify(op, &live);
    live_free(&live);
    if (status == MEREAU_OK) {
        mru_bag_set_int(&op->out, MEREAU_ACTIVE, 'B', 1);
    } else if (status < -200 && status > -400 &&
               !mru_tx_may_be_stale(&op->tx)) {
        memcpy(rule, op->err.rule, sizeof rule);
        mru_bag_free(&op->out);
        mru_bag_set_int(&op->out, MEREAU_ACTIVE, 'B', 0);
        mru_bag_set_text(&op->out, MEREAU_RULE, rule);
        mereau_error_init(&op->err, sizeof op->err);
        status = MEREAU_OK;
    }
    if (status == MEREAU_OK && print_introspection(op) != 0)
        status = MEREAU_E_NOMEM;
    return status;
}

/* --- revoking --- */

static mereau_status end_family(mereau_op *op, struct live *live) {
    int proved;
    int64_t step;
    char id[MRU_ID_TEXT];
    mereau_status status = MEREAU_OK;
    mru_id_print(id, live->family.key.data + 1);
    mru_bag_set_text(&op->event, MEREAU_FAMILY_ID, id);
    mru_bag_copy(&op->event, &live->family.record, MEREAU_CLIENT_ID);
    mru_bag_copy(&op->event, &live->family.record, MEREAU_DEVICE_ID);
    if (live->cred.kind == 0)
        status = check_signature(op, live);
    if (status == MEREAU_OK && live->cred.kind == 0)
        status = check_life(op, live);
    if (status == MEREAU_OK && live->family.above.app != NULL)
        status = mru_family_client(op, &live->family, &proved);
    step = mru_bag_int(&live->family.record, MRU_F_STEP);
    if (status != MEREAU_OK || step == MRU_STEP_ENDED ||
        step == MRU_STEP_REARMED)
        return status;
    return mru_family_end(op, &live->family, "holder");
}

static mereau_status decide_revoke(mereau_op *op) {
    struct live live;
    mereau_status status;
    memset(&live, 0, sizeof live);
    status = read_token(op, &live);
    if (status == MEREAU_OK)
        status = load(op, &live);
    if (status == MEREAU_OK)
        status = end_family(op, &live);
    live_free(&live);
    /* RFC 7009 section 2.2: what is not known is revoked already */
    if (status == MEREAU_E_MALFORMED || status == MEREAU_E_UNKNOWN ||
        status == MEREAU_E_KIND || status == MEREAU_E_SIGNATURE ||
        status == MEREAU_E_KEY_UNKNOWN || status == MEREAU_E_ALG ||
        status == MEREAU_E_REVOKED || status == MEREAU_E_CLAIM) {
        mereau_error_init(&op->err, sizeof op->err);
        status = MEREAU_OK;
    }
    return status;
}

static const int32_t must[] = {MEREAU_TOKEN, 0};
static const int32_t verify_takes[] = {MEREAU_AUDIENCE, MEREAU_SCOPE,
                                       MEREAU_DEVICE_JKT, 0};
static const int32_t revoke_takes[] = {MEREAU_CLIENT_ID, MEREAU_CLIENT_SECRET,
                                       MEREAU_DEVICE_JKT, 0};

const struct mru_op_class mru_class_token_verify_live = {"token_verify_live",
                                                         "token.verify_live",
                                                         MRU_OP_QUIET |
                                                             MRU_OP_STALE_OK,
                                                         must,
                                                         verify_takes,
                                                         NULL,
                                                         decide_verify_live};
const struct mru_op_class mru_class_token_introspect = {"token_introspect",
                                                        "token.introspect",
                                                        MRU_OP_QUIET |
                                                            MRU_OP_STALE_OK,
                                                        must,
                                                        NULL,
                                                        NULL,
                                                        decide_introspect};
const struct mru_op_class mru_class_token_revoke = {
    "token_revoke", "token.revoke", 0, must, revoke_takes, NULL, decide_revoke};

static mereau_op *make(const mereau_tenant *tenant,
                       const struct mru_op_class *class, const char *token) {
    mereau_op *op = mru_op_make(tenant, class);
    mereau_op_set_text(op, MEREAU_TOKEN, token);
    return op;
}

mereau_op *mereau_token_verify_live(const mereau_tenant *tenant,
                                    const char *token) {
    return make(tenant, &mru_class_token_verify_live, token);
}

mereau_op *mereau_token_introspect(const mereau_tenant *tenant,
                                   const char *token) {
    return make(tenant, &mru_class_token_introspect, token);
}

mereau_op *mereau_token_revoke(const mereau_tenant *tenant, const char *token) {
    return make(tenant, &mru_class_token_revoke, token);
}
