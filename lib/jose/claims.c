/* lib/jose/claims.c - what a verified token said, read by name or path. Nothing
 * here writes to claims that were filled, so threads may read the same ones. */
#include "claims_int.h"

#include "token_cache.h"

/* --- filling --- */

void mru_claims_reset(struct mereau_claims *claims) {
    mru_buf_reuse(&claims->header);
    mru_buf_reuse(&claims->json);
    mru_buf_reuse(&claims->texts);
    memset(&claims->said, 0, sizeof claims->said);
    if (claims->held)
        mru_cached_give(claims->held);
    claims->held = NULL;
    claims->thumbprint[0] = '\0';
}

void mru_claims_clear(struct mereau_claims *claims) {
    mru_claims_reset(claims);
    mru_buf_free(&claims->header);
    mru_buf_free(&claims->json);
    mru_buf_free(&claims->texts);
}

/* In the order of enum mru_claim, sorted. */
static const char *const known_names[MRU_CLAIMS] = {
    "",          "at_hash", "ath",    "aud",   "auth_time", "azp", "c_hash",
    "client_id", "cnf",     "events", "exp",   "htm",       "htu", "iat",
    "iss",       "jti",     "nbf",    "nonce", "scope",     "sid", "sub"};

const char *mru_claim_name(enum mru_claim which) { return known_names[which]; }

/* Which of them a name is: those of its first letter are compared. */
static enum mru_claim known(const char *name) {
    static const struct {
        uint8_t from, to;
    } letters[26] = {['a' - 'a'] = {1, 6},   ['c' - 'a'] = {6, 9},
                     ['e' - 'a'] = {9, 11},  ['h' - 'a'] = {11, 13},
                     ['i' - 'a'] = {13, 15}, ['j' - 'a'] = {15, 16},
                     ['n' - 'a'] = {16, 18}, ['s' - 'a'] = {18, 21}};
    unsigned letter = (unsigned)(unsigned char)name[0] - 'a';
    if (letter >= 26)
        return MRU_CLAIM_OTHER;
    for (size_t i = letters[letter].from; i < letters[letter].to; i++)
        /* Nearly all that differ do so here. */
        if (name[1] == known_names[i][1] && strcmp(name, known_names[i]) == 0)
            return (enum mru_claim)i;
    return MRU_CLAIM_OTHER;
}

static void note_known(struct mru_said *said) {
    size_t n = said->n < MRU_JINDEX_MAX ? said->n : MRU_JINDEX_MAX;
    for (size_t i = 0; i < n; i++) {
        enum mru_claim which = known(said->texts + said->members[i].name);
        said->at[which] = (uint8_t)(i + 1);
    }
    said->at[MRU_CLAIM_OTHER] = 0;
}

mereau_status mru_claims_index(struct mereau_claims *claims,
                               mereau_error *err) {
    struct mru_jval root;
    mru_buf_reuse(&claims->texts);
    uint8_t *texts = mru_buf_extend(&claims->texts, claims->json.len);
    if (!texts)
        return mru_refuse(err, MEREAU_E_NOMEM, NULL, NULL, NULL, NULL);
    mereau_status status =
        mru_json_index(&root, &claims->index, texts, claims->json.data,
                       claims->json.len, &mru_json_default_limits, err);
    if (status == MEREAU_OK && root.kind != 'o')
        status = mru_refuse(err, MEREAU_E_MALFORMED, "jwt.payload",
                            "RFC 7519 7.2", "a JSON object", "something else");
    if (status != MEREAU_OK)
        return status;
    claims->said.root = root;
    claims->said.json = (const char *)claims->json.data;
    claims->said.len = claims->json.len;
    claims->said.texts = (const char *)texts;
    claims->said.members = claims->index.member;
    claims->said.n = claims->index.n;
    note_known(&claims->said);
    return MEREAU_OK;
}

mereau_claims *mereau_claims_new(void) {
    return mru_alloc(sizeof(struct mereau_claims));
}

void mereau_claims_free(mereau_claims *claims) {
    if (!claims)
        return;
    mru_claims_clear(claims);
    mru_free(claims);
}

/* --- finding --- */

/* The member at a place of the index. */
static int member_at(struct mru_jval *value, const struct mru_said *said,
                     size_t i) {
    const struct mru_jmember *member = &said->members[i];
    value->p = said->json + member->value;
    value->len = member->len;
    value->kind = member->kind;
    return 1;
}

/* One that the index may not hold. */
static int member_beyond(struct mru_jval *value, const struct mru_said *said,
                         const char *name) {
    value->kind = 0;
    return said->n > MRU_JINDEX_MAX &&
           mru_json_member(value, &said->root, name);
}

int mru_said_get(struct mru_jval *value, const struct mru_said *said,
                 enum mru_claim which) {
    size_t place = said->at[which];
    return place > 0 ? member_at(value, said, place - 1)
                     : member_beyond(value, said, known_names[which]);
}

int mru_said_find(struct mru_jval *value, const struct mru_said *said,
                  const char *name) {
    size_t n = said->n < MRU_JINDEX_MAX ? said->n : MRU_JINDEX_MAX;
    enum mru_claim which = known(name);
    if (which != MRU_CLAIM_OTHER)
        return mru_said_get(value, said, which);
    uint32_t hash = mru_json_hash(name);
    for (size_t i = 0; i < n; i++)
        if (said->members[i].hash == hash &&
            strcmp(said->texts + said->members[i].name, name) == 0)
            return member_at(value, said, i);
    return member_beyond(value, said, name);
}

const char *mru_said_text(const struct mru_said *said,
                          const struct mru_jval *value) {
    return value->kind == 's' ? said->texts + (value->p - said->json) + 1
                              : NULL;
}

const char *mru_said_text_of(const struct mru_said *said, const char *name) {
    struct mru_jval value;
    return mru_said_find(&value, said, name) ? mru_said_text(said, &value)
                                             : NULL;
}

/* The length of a reference token: up to the next slash or the end. */
static size_t token_len(const char *token) { return strcspn(token, "/"); }

/* Whether a reference token, ~0 and ~1 undone, is a name (RFC 6901 section 4). */
static int names(const char *token, size_t len, const char *name) {
    for (size_t i = 0; i < len; i++, name++) {
        char c = token[i];
        if (c == '~' && i + 1 < len &&
            (token[i + 1] == '0' || token[i + 1] == '1'))
            c = token[++i] == '0' ? '~' : '/';
        if (*name == '\0' || *name != c)
            return 0;
    }
    return *name == '\0';
}

/* An index of a list: digits without a leading zero; SIZE_MAX: none. */
static size_t index_of(const char *token, size_t len) {
    size_t at = 0;
    if (len == 0 || len > 6 || (token[0] == '0' && len > 1))
        return SIZE_MAX;
    for (size_t i = 0; i < len; i++) {
        if (token[i] < '0' || token[i] > '9')
            return SIZE_MAX;
        at = at * 10 + (size_t)(token[i] - '0');
    }
    return at;
}

/* One step of a pointer, from *value on. */
static int step(struct mru_jval *value, const struct mru_said *said,
                const char *token, size_t len) {
    struct mru_jval from = *value, name;
    size_t pos = 0, at = 0, wanted = index_of(token, len);
    while (mru_json_next(&from, &pos, &name, value)) {
        if (from.kind == 'a' ? at++ == wanted
                             : names(token, len, mru_said_text(said, &name)))
            return 1;
    }
    return 0;
}

/* A member of the top level, or what a pointer leads to. */
static int find(struct mru_jval *value, const mereau_claims *claims,
                const char *name) {
    if (!claims || !name || claims->said.root.kind != 'o')
        return 0;
    if (name[0] != '/')
        return mru_said_find(value, &claims->said, name);
    *value = claims->said.root;
    while (*name == '/') {
        size_t len = token_len(++name);
        if (!step(value, &claims->said, name, len))
            return 0;
        name += len;
    }
    return 1;
}

/* --- reading --- */

int32_t mereau_claims_kind(const mereau_claims *claims, const char *name) {
    struct mru_jval value;
    if (!find(&value, claims, name))
        return MEREAU_JSON_NONE;
    switch (value.kind) {
    case 's':
        return MEREAU_JSON_TEXT;
    case 'n':
        return MEREAU_JSON_NUMBER;
    case 't':
    case 'f':
        return MEREAU_JSON_BOOL;
    case 'a':
        return MEREAU_JSON_LIST;
    case 'o':
        return MEREAU_JSON_OBJECT;
    default:
        return MEREAU_JSON_NULL;
    }
}

const char *mereau_claims_text(const mereau_claims *claims, const char *name) {
    struct mru_jval value;
    return find(&value, claims, name) ? mru_said_text(&claims->said, &value)
                                      : NULL;
}

const char *mereau_claims_text_at(const mereau_claims *claims, const char *name,
                                  size_t i) {
    struct mru_jval value, element;
    size_t pos = 0, at = 0;
    if (!find(&value, claims, name))
        return NULL;
    if (value.kind == 's')
        return i == 0 ? mru_said_text(&claims->said, &value) : NULL;
    while (value.kind == 'a' && mru_json_next(&value, &pos, NULL, &element))
        if (element.kind == 's' && at++ == i)
            return mru_said_text(&claims->said, &element);
    return NULL;
}

size_t mereau_claims_count(const mereau_claims *claims, const char *name) {
    struct mru_jval value;
    if (!find(&value, claims, name))
        return 0;
    return value.kind == 'a' || value.kind == 'o' ? mru_json_count(&value) : 1;
}

/* Claims that are NumericDates: of these a fraction is cut off. */
static int is_date(const char *name) {
    static const char *const dates[] = {"exp", "nbf", "iat", "auth_time"};
    for (size_t i = 0; i < sizeof dates / sizeof dates[0]; i++)
        if (strcmp(name, dates[i]) == 0)
            return 1;
    return 0;
}

int64_t mereau_claims_int(const mereau_claims *claims, const char *name) {
    struct mru_jval value;
    int64_t number;
    int fraction;
    if (!find(&value, claims, name) || value.kind != 'n' ||
        mru_json_seconds(&value, &number, &fraction) != 0 ||
        (fraction && !is_date(name)))
        return MEREAU_UNSET;
    return number;
}

int32_t mereau_claims_number(const mereau_claims *claims, const char *name,
                             double *out) {
    struct mru_jval value;
    double number = 0;
    int there =
        find(&value, claims, name) && mru_json_number(&value, &number) == 0;
    if (out)
        *out = number;
    return there && out;
}

int32_t mereau_claims_bool(const mereau_claims *claims, const char *name) {
    struct mru_jval value;
    if (!find(&value, claims, name) || (value.kind != 't' && value.kind != 'f'))
        return -1;
    return value.kind == 't';
}

const char *mereau_claims_raw(const mereau_claims *claims, const char *name,
                              size_t *len) {
    struct mru_jval value;
    int there = find(&value, claims, name);
    if (len)
        *len = there ? value.len : 0;
    return there ? value.p : NULL;
}

int mru_has_word(const char *words, const char *word, size_t len) {
    for (const char *at = words; *at != '\0';) {
        size_t n = strcspn(at, " ");
        if (n == len && memcmp(at, word, len) == 0)
            return 1;
        at += n;
        at += strspn(at, " ");
    }
    return 0;
}

int32_t mereau_claims_has_scope(const mereau_claims *claims, const char *word) {
    const char *scope = mereau_claims_text(claims, "scope");
    size_t len = word ? strlen(word) : 0;
    return scope && len > 0 && !strchr(word, ' ') &&
           mru_has_word(scope, word, len);
}

const char *mereau_claims_json(const mereau_claims *claims, size_t *len) {
    int filled = claims && claims->said.root.kind == 'o';
    if (len)
        *len = filled ? claims->said.len : 0;
    return filled ? claims->said.json : "";
}

const char *mereau_claims_thumbprint(const mereau_claims *claims) {
    int filled = claims && claims->said.root.kind == 'o';
    return filled ? claims->thumbprint : "";
}
