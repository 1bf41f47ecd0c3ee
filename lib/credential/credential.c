/* lib/credential/credential.c - layout, derivation, checksum, parsing. */
#include "credential.h"

static const struct {
    char prefix[12];
    int32_t kind;
    size_t body; /* bytes before the secret */
} kinds[] = {
    {"mereau_reg_", MRU_CRED_REGISTRATION, 4 + 2 + 16 + 12 + 1},
    {"mereau_aut_", MRU_CRED_AUTH, 4 + 2 + 16 + 36 + 4},
    {"mereau_ref_", MRU_CRED_REFRESH, 4 + 2 + 16 + 36 + 4},
    {"mereau_acc_", MRU_CRED_ACCESS, 4 + 2 + 16 + 36 + 4 + 32},
    {"mereau_sec_", MRU_CRED_CLIENT, 4 + 16},
};
#define N_KINDS (sizeof kinds / sizeof kinds[0])
#define PREFIX_LEN 11
#define MAX_BODY (4 + 2 + 16 + 36 + 4 + 32)
#define CHECK_LEN 4
#define MAX_BYTES (MAX_BODY + 32 + CHECK_LEN)

int mru_tenant_tag(uint8_t out[4], const char *tenant) {
    uint8_t digest[MRU_SHA256];
    mereau_slice parts[2] = {{(const uint8_t *)"mereau tenant", 14},
                             {(const uint8_t *)tenant, strlen(tenant)}};
    int failed = mru_hash(MRU_SHA256, parts, 2, digest);
    memcpy(out, digest, 4);
    return failed;
}

int mru_head(uint8_t out[MRU_HEAD_LEN], char kind, const char *name) {
    uint8_t digest[MRU_SHA256];
    mereau_slice parts[2] = {{(const uint8_t *)&kind, 1},
                             {(const uint8_t *)name, strlen(name)}};
    int failed = mru_hash(MRU_SHA256, parts, 2, digest);
    memcpy(out, digest, MRU_HEAD_LEN);
    return failed;
}

/* The bytes between two of them: one table serves reading and writing. */
static size_t walk(struct mru_cred *cred, uint8_t *bytes, int reading) {
    uint8_t *p = bytes;
#define PART(field, n)                                                         \
    do {                                                                       \
        if (reading)                                                           \
            memcpy(field, p, n);                                               \
        else                                                                   \
            memcpy(p, field, n);                                               \
        p += (n);                                                              \
    } while (0)
#define NUMBER(field)                                                          \
    do {                                                                       \
        if (reading)                                                           \
            field = mru_get_u64(p);                                            \
        else                                                                   \
            mru_put_u64(p, field);                                             \
        p += 8;                                                                \
    } while (0)
    uint64_t issued = (uint64_t)cred->issued_at;
    uint64_t expires = (uint64_t)cred->expires_at;

    PART(cred->tag, 4);
    if (cred->kind != MRU_CRED_CLIENT)
        PART(cred->epoch, 2);
    PART(cred->id, MRU_ID_LEN);
    if (cred->kind == MRU_CRED_REGISTRATION) {
        PART(cred->subject, MRU_HEAD_LEN);
        PART(&cred->slots, 1);
    } else if (cred->kind != MRU_CRED_CLIENT) {
        uint8_t generation[4];
        PART(cred->subject, MRU_HEAD_LEN);
        PART(cred->device, MRU_HEAD_LEN);
        PART(cred->registration, MRU_HEAD_LEN);
        mru_put_u32(generation, cred->generation);
        PART(generation, 4);
        cred->generation = mru_get_u32(generation);
    }
    if (cred->kind == MRU_CRED_ACCESS) {
        NUMBER(issued);
        NUMBER(expires);
        NUMBER(cred->scope_mask);
        NUMBER(cred->audience_mask);
        cred->issued_at = (int64_t)issued;
        cred->expires_at = (int64_t)expires;
    }
#undef PART
#undef NUMBER
    return (size_t)(p - bytes);
}

int mru_cred_derive(struct mru_cred *cred, const mru_mac *key,
                    const char *tenant, const uint8_t salt[MRU_SALT_LEN]) {
    uint8_t body[MAX_BODY], kind = (uint8_t)cred->kind;
    size_t len = walk(cred, body, 0);
    mereau_slice parts[5] = {{(const uint8_t *)"mereau credential", 18},
                             {(const uint8_t *)tenant, strlen(tenant) + 1},
                             {&kind, 1},
                             {body, len},
                             {salt, MRU_SALT_LEN}};
    return mru_mac_run(key, parts, 5, cred->secret);
}

/* The checksum covers the prefix, so that a changed kind is noticed too. */
static int checksum(uint8_t out[CHECK_LEN], const char *prefix,
                    const uint8_t *bytes, size_t len) {
    uint8_t digest[MRU_SHA256];
    mereau_slice parts[2] = {{(const uint8_t *)prefix, PREFIX_LEN},
                             {bytes, len}};
    int failed = mru_hash(MRU_SHA256, parts, 2, digest);
    memcpy(out, digest, CHECK_LEN);
    return failed;
}

size_t mru_cred_print(char out[MRU_CRED_MAX], const struct mru_cred *cred) {
    uint8_t bytes[MAX_BYTES];
    struct mru_cred copy = *cred;
    size_t kind = 0, len, total = 0;
    while (kind < N_KINDS && kinds[kind].kind != cred->kind)
        kind++;
    if (kind == N_KINDS)
        return 0;
    len = walk(&copy, bytes, 0);
    memcpy(bytes + len, cred->secret, 32);
    len += 32;
    if (checksum(bytes + len, kinds[kind].prefix, bytes, len) == 0) {
        len += CHECK_LEN;
        memcpy(out, kinds[kind].prefix, PREFIX_LEN);
        mru_b64_encode(out + PREFIX_LEN, bytes, len);
        total = PREFIX_LEN + MRU_B64_LEN(len);
        out[total] = '\0';
    }
    mru_wipe(bytes, sizeof bytes);
    mru_wipe(&copy, sizeof copy);
    return total;
}

static size_t find_kind(const char *text, size_t len) {
    for (size_t i = 0; i < N_KINDS; i++)
        if (len > PREFIX_LEN && memcmp(text, kinds[i].prefix, PREFIX_LEN) == 0)
            return i;
    return N_KINDS;
}

int32_t mru_cred_kind(const char *text, size_t len) {
    size_t i = find_kind(text, len);
    return i < N_KINDS ? kinds[i].kind : 0;
}

/* The bytes behind the prefix, checksum included: MEREAU_OK, _MALFORMED, or
 * _CRYPTO when the provider failed, which says nothing about the token. */
static mereau_status decode(struct mru_cred *cred, size_t kind,
                            const char *text, size_t len) {
    uint8_t bytes[MAX_BYTES], check[CHECK_LEN];
    size_t body = kinds[kind].body, total = body + 32 + CHECK_LEN;
    mereau_status status = MEREAU_OK;
    if (len != PREFIX_LEN + MRU_B64_LEN(total) ||
        mru_b64_decode(bytes, text + PREFIX_LEN, len - PREFIX_LEN) !=
            (ptrdiff_t)total)
        status = MEREAU_E_MALFORMED;
    else if (checksum(check, kinds[kind].prefix, bytes, body + 32) != 0)
        status = MEREAU_E_CRYPTO;
    else if (memcmp(check, bytes + body + 32, CHECK_LEN) != 0)
        status = MEREAU_E_MALFORMED;
    if (status == MEREAU_OK) {
        cred->kind = kinds[kind].kind;
        walk(cred, bytes, 1);
        memcpy(cred->secret, bytes + body, 32);
    }
    mru_wipe(bytes, sizeof bytes);
    return status;
}

mereau_status mru_cred_parse(struct mru_cred *cred, int32_t kind,
                             const char *text, size_t len, mereau_error *err) {
    size_t i;
    memset(cred, 0, sizeof *cred);
    if (len > MEREAU_MAX_TOKEN)
        return mru_refuse(err, MEREAU_E_TOO_LONG, "credential.length", NULL,
                          "at most 16384 bytes", "more");
    i = find_kind(text, len);
    if (i == N_KINDS)
        return mru_refuse(err, MEREAU_E_MALFORMED, "credential.prefix", NULL,
                          "a token of this library", "something else");
    if (kind != 0 && kinds[i].kind != kind)
        return mru_refuse(err, MEREAU_E_KIND, "credential.kind", NULL,
                          "another kind of token", kinds[i].prefix);
    mereau_status status = decode(cred, i, text, len);
    if (status == MEREAU_E_MALFORMED)
        return mru_refuse(err, status, "credential.checksum", NULL,
                          "an unaltered token", "a typing error or noise");
    return status == MEREAU_OK ? MEREAU_OK
                               : mru_refuse(err, status, "credential.checksum",
                                            NULL, NULL, NULL);
}
