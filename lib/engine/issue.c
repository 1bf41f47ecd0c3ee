/* lib/engine/issue.c - making an access token: a JWT (RFC 9068) or an opaque one.
 * Everything in it comes from the record and the step, so that a repeat of the
 * step gives the same token. */
#include "../jose/verifier.h"
#include "../json/json.h"
#include "enrolment.h"

static int os_rng(void *arg, uint8_t *out, size_t len) {
    return mru_os_random(arg, out, len);
}

int mru_access_jti(char out[MRU_ID_TEXT], const struct mru_family *family,
                   uint32_t generation) {
    uint8_t digest[MRU_SHA256], number[4];
    size_t len;
    const uint8_t *salt = mru_bag_data(&family->record, MRU_F_SALT, &len);
    mru_put_u32(number, generation);
    mereau_slice parts[4] = {{(const uint8_t *)"mereau jti", 10},
                             {salt, len},
                             {family->key.data, family->key.len},
                             {number, 4}};
    int failed = mru_hash(MRU_SHA256, parts, 4, digest);
    mru_id_print(out, digest);
    return failed;
}

/* The heads of subject, device and registration token: with them a live check of
 * the JWT needs one get. */
static void print_heads(char out[MRU_B64_LEN(3 * MRU_HEAD_LEN) + 1],
                        const struct mru_family *family) {
    uint8_t heads[3 * MRU_HEAD_LEN];
    memcpy(heads, family->subject_head, MRU_HEAD_LEN);
    memcpy(heads + MRU_HEAD_LEN, family->device_head, MRU_HEAD_LEN);
    memcpy(heads + 2 * MRU_HEAD_LEN, family->registration_head, MRU_HEAD_LEN);
    mru_b64_encode(out, heads, sizeof heads);
    out[MRU_B64_LEN(sizeof heads)] = '\0';
}

static int add_audience(mru_jdoc *doc, const struct mru_family *family,
                        uint64_t mask) {
    const struct mru_bag *record = &family->record;
    size_t n = mru_bag_count(record, MEREAU_AUDIENCE), used = 0, last = 0;
    mru_jdoc *list;
    for (size_t i = 0; i < n; i++)
        if ((mask >> i & 1) != 0) {
            used++;
            last = i;
        }
    if (used == 0) /* RFC 9068 section 3: a default; ours is the issuer */
        return mru_jdoc_add_text(
            doc, "aud", mru_bag_text(family->above.tenant, MEREAU_ISSUER));
    if (used == 1)
        return mru_jdoc_add_text(
            doc, "aud", mru_bag_text_at(record, MEREAU_AUDIENCE, last));
    list = mru_jdoc_array();
    for (size_t i = 0; i < n; i++)
        if ((mask >> i & 1) != 0 &&
            mru_jdoc_add_text(
                list, NULL, mru_bag_text_at(record, MEREAU_AUDIENCE, i)) != 0) {
            mru_jdoc_free(list);
            return -1;
        }
    return mru_jdoc_add_doc(doc, "aud", list);
}

static int add_confirmation(mru_jdoc *doc, const struct mru_family *family) {
    const char *jkt = mru_bag_text(&family->record, MEREAU_DEVICE_JKT);
    mru_jdoc *cnf;
    if (jkt == NULL)
        return 0;
    cnf = mru_jdoc_object();
    if (mru_jdoc_add_text(cnf, "jkt", jkt) != 0) {
        mru_jdoc_free(cnf);
        return -1;
    }
    return mru_jdoc_add_doc(doc, "cnf", cnf);
}

/* Only when a not-before has put iat ahead of the time: see MRU_CLAIM_BEFORE. */
static int add_before(mru_jdoc *doc, const struct mru_family *family) {
    const struct mru_bag *record = &family->record;
    int64_t at = mru_bag_int_or(record, MEREAU_LAST_USED_AT, 0);
    mru_jdoc *list;
    int failed;
    if (mru_bag_int_or(record, MEREAU_ISSUED_AT, 0) <= at)
        return 0;
    list = mru_jdoc_array();
    failed = mru_jdoc_add_int(list, NULL, at);
    for (size_t i = 0; i < MRU_LEVELS; i++)
        failed |= mru_jdoc_add_int(
            list, NULL,
            family->levels[i] == NULL
                ? 0
                : mru_bag_int_or(family->levels[i], MEREAU_NOT_BEFORE_AT, 0));
    if (failed) {
        mru_jdoc_free(list);
        return -1;
    }
    return mru_jdoc_add_doc(doc, MRU_CLAIM_BEFORE, list);
}

static mereau_status make_claims(struct mru_buf *out, mereau_op *op,
                                 const struct mru_family *family,
                                 const struct mru_issue *issue) {
    const struct mru_bag *record = &family->record;
    char jti[MRU_ID_TEXT], sid[MRU_ID_TEXT];
    char heads[MRU_B64_LEN(3 * MRU_HEAD_LEN) + 1];
    int64_t rearmed = mru_bag_int_or(record, MRU_F_REARMED, 0);
    mru_jdoc *doc = mru_jdoc_object();
    int failed = mru_access_jti(jti, family, issue->generation);
    mru_id_print(sid, family->key.data + 1);
    print_heads(heads, family);
    failed |= mru_jdoc_add_text(
        doc, "iss", mru_bag_text(family->above.tenant, MEREAU_ISSUER));
    failed |=
        mru_jdoc_add_text(doc, "sub", mru_bag_text(record, MEREAU_SUBJECT));
    failed |= add_audience(doc, family, issue->audience_mask);
    failed |= mru_jdoc_add_text(doc, "client_id",
                                mru_bag_text(record, MEREAU_CLIENT_ID));
    failed |= mru_jdoc_add_int(doc, "iat", issue->issued_at);
    failed |= mru_jdoc_add_int(doc, "exp", issue->expires_at);
    failed |= mru_jdoc_add_text(doc, "jti", jti);
    if (mru_bag_text(&op->out, MEREAU_SCOPE) != NULL)
        failed |= mru_jdoc_add_text(doc, "scope",
                                    mru_bag_text(&op->out, MEREAU_SCOPE));
    failed |= mru_jdoc_add_text(doc, "sid", sid);
    failed |= mru_jdoc_add_text(doc, "device_id",
                                mru_bag_text(record, MEREAU_DEVICE_ID));
    failed |= mru_jdoc_add_text(doc, "mereau_heads", heads);
    if (rearmed > 0)
        failed |= mru_jdoc_add_int(doc, MRU_CLAIM_REARMED, rearmed);
    failed |= add_before(doc, family);
    failed |= add_confirmation(doc, family);
    failed |= mru_jdoc_print(out, doc);
    mru_jdoc_free(doc);
    return failed != 0 ? MEREAU_E_NOMEM : MEREAU_OK;
}

/* Signs with our own key, or asks the host's signer and checks its work. */
static mereau_status sign(mereau_op *op, const struct mru_ring_key *key,
                          const struct mru_buf *input, uint8_t sig[MRU_MAX_SIG],
                          size_t *sig_len) {
    const struct mru_buf *theirs;
    mereau_status status;
    if (key->label == NULL)
        return mru_key_sign(key->key, os_rng, NULL, input->data, input->len,
                            sig, sig_len);
    status = mru_tx_sign(&op->tx, key->alg, key->label, input->data, input->len,
                         &theirs);
    if (status != MEREAU_OK)
        return status;
    status = theirs->len > MRU_MAX_SIG
                 ? MEREAU_E_SIGNATURE
                 : mru_key_verify(key->key, input->data, input->len,
                                  theirs->data, theirs->len);
    if (status == MEREAU_E_SIGNATURE)
        return mru_refuse(&op->err, MEREAU_E_SIGNER, "signer.signature", NULL,
                          "a signature that the public key verifies",
                          "another one");
    if (status != MEREAU_OK)
        return status;
    memcpy(sig, theirs->data, theirs->len);
    *sig_len = theirs->len;
    return MEREAU_OK;
}

static int32_t alg_of(const struct mru_bag *settings) {
    const char *alg = mru_bag_text(settings, MEREAU_ALG);
    return alg == NULL ? 0 : mru_alg_find(alg, strlen(alg));
}

/* The app's algorithm if it names one; else the tenant's, and when no key signs
 * with that now, any. */
static const struct mru_ring_key *choose_key(const mereau_op *op,
                                             const struct mru_family *family) {
    const struct mru_keyring *ring = family->above.keyring;
    const char *client = mru_bag_text(family->above.app, MEREAU_CLIENT_ID);
    int32_t alg = alg_of(family->above.app);
    const struct mru_ring_key *key;
    if (alg != 0)
        return mru_keyring_signer(ring, client, alg, op->now_at);
    key = mru_keyring_signer(ring, client, alg_of(family->above.tenant),
                             op->now_at);
    return key != NULL ? key : mru_keyring_signer(ring, client, 0, op->now_at);
}

static mereau_status issue_jwt(mereau_op *op, const struct mru_family *family,
                               const struct mru_buf *claims) {
    const struct mru_bag *app = family->above.app;
    const char *alg = mru_bag_text(app, MEREAU_ALG);
    const char *typ = mru_bag_text(app, MEREAU_ACCESS_TOKEN_TYP);
    const struct mru_ring_key *key = choose_key(op, family);
    struct mru_buf jwt = {0};
    uint8_t sig[MRU_MAX_SIG];
    size_t sig_len = 0;
    mereau_status status = MEREAU_E_NOMEM;
    if (key == NULL)
        return mru_refuse(&op->err, MEREAU_E_TOO_EARLY, "key.signing", NULL,
                          "a key that signs now", alg == NULL ? "none" : alg);
    if (mru_jws_begin(&jwt, key->alg, typ == NULL ? "at+jwt" : typ, key->kid,
                      claims->data, claims->len) == 0)
        status = sign(op, key, &jwt, sig, &sig_len);
    if (status == MEREAU_OK && mru_jws_finish(&jwt, sig, sig_len) != 0)
        status = MEREAU_E_NOMEM;
    if (status == MEREAU_OK)
        mru_bag_set_data(&op->out, MEREAU_ACCESS_TOKEN, 'T', jwt.data, jwt.len);
    mru_wipe(sig, sizeof sig);
    mru_buf_free(&jwt);
    return status;
}

static mereau_status issue_opaque(mereau_op *op,
                                  const struct mru_family *family,
                                  const struct mru_issue *issue) {
    const struct mru_root_key *root = NULL;
    struct mru_cred cred = {0};
    uint8_t salt[MRU_SALT_LEN];
    char text[MRU_CRED_MAX];
    mereau_status status = MEREAU_OK;
    cred.kind = MRU_CRED_ACCESS;
    memcpy(cred.tag, op->tenant->tag, sizeof cred.tag);
    memcpy(cred.id, family->key.data + 1, MRU_ID_LEN);
    memcpy(cred.subject, family->subject_head, MRU_HEAD_LEN);
    memcpy(cred.device, family->device_head, MRU_HEAD_LEN);
    memcpy(cred.registration, family->registration_head, MRU_HEAD_LEN);
    cred.generation = issue->generation;
    cred.issued_at = issue->issued_at;
    cred.expires_at = issue->expires_at;
    cred.scope_mask = issue->scope_mask;
    cred.audience_mask = issue->audience_mask;
    if (mru_bag_bytes(&family->record, MRU_F_EPOCH, cred.epoch, 2))
        root = mru_root_find(op, cred.epoch);
    if (root == NULL ||
        !mru_bag_bytes(&family->record, MRU_F_SALT, salt, sizeof salt))
        return MEREAU_E_CORRUPT;
    if (mru_cred_derive(&cred, root->derive, op->tenant->name, salt) != 0 ||
        mru_cred_print(text, &cred) == 0)
        status = MEREAU_E_CRYPTO;
    else
        mru_bag_set_text(&op->out, MEREAU_ACCESS_TOKEN, text);
    mru_wipe(&cred, sizeof cred);
    mru_wipe(text, sizeof text);
    return status;
}

mereau_status mru_issue_access(mereau_op *op, const struct mru_family *family,
                               const struct mru_issue *issue) {
    const char *format = mru_bag_text(family->above.app, MEREAU_TOKEN_FORMAT);
    struct mru_buf scope = {0}, claims = {0};
    const char *granted = mru_bag_text(&family->record, MEREAU_SCOPE);
    int64_t left = issue->expires_at - op->now_at;
    mereau_status status;
    if (granted != NULL && issue->scope_mask != 0) {
        if (mru_scope_words(&scope, granted, issue->scope_mask) == 0)
            mru_bag_set_data(&op->out, MEREAU_SCOPE, 'T', scope.data,
                             scope.len);
        else
            op->out.failed = 1;
    }
    status = op->out.failed ? MEREAU_E_NOMEM
                            : make_claims(&claims, op, family, issue);
    if (status == MEREAU_OK)
        mru_bag_set_data(&op->out, MEREAU_CLAIMS, 'J', claims.data, claims.len);
    if (status == MEREAU_OK)
        status = format != NULL && strcmp(format, "opaque") == 0
                     ? issue_opaque(op, family, issue)
                     : issue_jwt(op, family, &claims);
    mru_bag_set_text(&op->out, MEREAU_TOKEN_TYPE, "Bearer");
    mru_bag_set_int(&op->out, MEREAU_EXPIRES_IN, 'I', left < 0 ? 0 : left);
    mru_bag_set_int(&op->out, MEREAU_ISSUED_AT, 'I', issue->issued_at);
    mru_buf_free(&scope);
    mru_buf_free(&claims);
    return status;
}
