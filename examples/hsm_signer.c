/* hsm_signer.c - the private key stays in an HSM; the library sees only the public
 * half and asks for signatures by the name that the host gave the key.
 *
 * The HSM here is a stand-in of software (a P-256 key of mbedTLS behind one
 * function), so that the program runs anywhere. The clock is the host's, too: it
 * goes a day ahead, because a new key signs only when verifiers can have it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mbedtls/ecdsa.h>
#include <mbedtls/ecp.h>
#include <mbedtls/md.h>

#include <mereau/mereau.h>
#include <mereau/system.h>

/* --- the HSM: one key, "jwt-1", that never leaves --- */

struct hsm {
    mbedtls_ecp_group group;
    mbedtls_ecp_point public_key;
    mbedtls_mpi private_key;
    unsigned signatures;
};

static int hsm_random(void *arg, unsigned char *out, size_t len) {
    (void)arg;
    return mereau_system_random(out, len, NULL) == MEREAU_OK ? 0 : -1;
}

static int hsm_open(struct hsm *hsm) {
    memset(hsm, 0, sizeof *hsm);
    mbedtls_ecp_group_init(&hsm->group);
    mbedtls_ecp_point_init(&hsm->public_key);
    mbedtls_mpi_init(&hsm->private_key);
    if (mbedtls_ecp_group_load(&hsm->group, MBEDTLS_ECP_DP_SECP256R1) != 0)
        return -1;
    return mbedtls_ecp_gen_keypair(&hsm->group, &hsm->private_key,
                                   &hsm->public_key, hsm_random, NULL);
}

static void hsm_close(struct hsm *hsm) {
    mbedtls_mpi_free(&hsm->private_key);
    mbedtls_ecp_point_free(&hsm->public_key);
    mbedtls_ecp_group_free(&hsm->group);
}

/* The public key: 04, x, y. */
static int hsm_public_key(struct hsm *hsm, uint8_t point[65]) {
    size_t len;
    return mbedtls_ecp_point_write_binary(&hsm->group, &hsm->public_key,
                                          MBEDTLS_ECP_PF_UNCOMPRESSED, &len,
                                          point, 65);
}

static int hsm_sign(struct hsm *hsm, const char *label, const uint8_t *data,
                    size_t len, uint8_t rs[64]) {
    uint8_t digest[32];
    mbedtls_mpi r, s;
    int failed = strcmp(label, "jwt-1");
    mbedtls_mpi_init(&r);
    mbedtls_mpi_init(&s);
    if (failed == 0)
        failed = mbedtls_md(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), data,
                            len, digest);
    if (failed == 0)
        failed = mbedtls_ecdsa_sign(&hsm->group, &r, &s, &hsm->private_key,
                                    digest, sizeof digest, hsm_random, NULL);
    if (failed == 0)
        failed = mbedtls_mpi_write_binary(&r, rs, 32);
    if (failed == 0)
        failed = mbedtls_mpi_write_binary(&s, rs + 32, 32);
    mbedtls_mpi_free(&r);
    mbedtls_mpi_free(&s);
    hsm->signatures++;
    return failed;
}

/* --- what the host writes for it --- */

/* [sign] */
static int32_t sign(void *user, const mereau_need *need, mereau_emit_bytes emit,
                    void *arg) {
    uint8_t rs[64]; /* raw r || s, as JWS wants it (RFC 7518 section 3.4) */
    if (need->alg != MEREAU_ALG_ES256)
        return MEREAU_SIGN_UNSUPPORTED;
    if (hsm_sign(user, need->key_label, need->input, need->input_len, rs) != 0)
        return MEREAU_SIGN_FAILED;
    return emit(arg, rs, sizeof rs);
}
/* [/sign] */

static int32_t my_clock(void *user, int64_t *now_at) {
    const int64_t *ahead_s = user;
    const mereau_clock *system = mereau_system_clock();
    int32_t code = system->now(system->user, now_at);
    *now_at += *ahead_s;
    return code;
}

/* A JWK of the public half (RFC 7517; base64url without padding). */
static void write_jwk(char out[256], const uint8_t point[65]) {
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    char xy[2][44];
    for (size_t k = 0; k < 2; k++) {
        const uint8_t *in = point + 1 + 32 * k;
        uint32_t bits = 0;
        size_t n = 0, have = 0;
        for (size_t i = 0; i < 32; i++) {
            bits = (bits << 8 | in[i]) & 0xffffff;
            for (have += 8; have >= 6; have -= 6)
                xy[k][n++] = digits[bits >> (have - 6) & 63];
        }
        xy[k][n++] = digits[bits << (6 - have) & 63];
        xy[k][n] = '\0';
    }
    snprintf(out, 256,
             "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%s\",\"y\":\"%s\"}",
             xy[0], xy[1]);
}

static mereau_op *run(mereau_op *op) {
    mereau_error err = MEREAU_ERROR_INIT;
    if (mereau_op_run(op, &err) != MEREAU_OK) {
        fprintf(stderr, "%s\n", err.text);
        exit(EXIT_FAILURE);
    }
    return op;
}

/* Enrols a device and has its first access token signed. */
static void issue_one(const mereau_tenant *acme, struct hsm *hsm) {
    mereau_op *app = run(mereau_app_create(acme, "Label printer"));
    mereau_op *mint = run(mereau_registration_token_mint(
        acme, mereau_op_text(app, MEREAU_CLIENT_ID), 1, 3600));
    mereau_op *device = run(mereau_registration_token_redeem(
        acme, mereau_op_text(mint, MEREAU_REGISTRATION_TOKEN), "printer-1",
        (const uint8_t *)"a nonce of 16 to 64 random bytes", 32));
    unsigned before = hsm->signatures;
    mereau_op *pair = run(mereau_auth_token_exchange(
        acme, mereau_op_text(device, MEREAU_AUTH_TOKEN)));
    mereau_op *live = run(mereau_token_verify_live(
        acme, mereau_op_text(pair, MEREAU_ACCESS_TOKEN)));
    printf("access token of %s: %u signature of the HSM, verified\n",
           mereau_op_text(live, MEREAU_SUBJECT), hsm->signatures - before);
    mereau_op_free(live);
    mereau_op_free(pair);
    mereau_op_free(device);
    mereau_op_free(mint);
    mereau_op_free(app);
}

int main(void) {
    struct hsm hsm;
    char jwk[256];
    uint8_t point[65], root_key[32];
    int64_t ahead_s = 0;
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_store *store = NULL;
    mereau_signer signer = MEREAU_SIGNER_INIT;
    mereau_clock clock = {(uint32_t)sizeof clock, 0, &ahead_s, my_clock};
    if (hsm_open(&hsm) != 0 || hsm_public_key(&hsm, point) != 0 ||
        mereau_system_random(root_key, sizeof root_key, &err) != MEREAU_OK ||
        mereau_memory_open(&store, &err) != MEREAU_OK)
        return EXIT_FAILURE;
    signer.user = &hsm;
    signer.sign = sign;

    mereau_ctx *ctx = mereau_ctx_new();
    mereau_ctx_set_store(ctx, store);
    mereau_ctx_set_clock(ctx, &clock);
    mereau_ctx_set_signer(ctx, &signer);
    mereau_ctx_add_root_key(ctx, "2026", root_key, sizeof root_key);
    if (mereau_ctx_ready(ctx, &err) != MEREAU_OK) {
        fprintf(stderr, "%s\n", err.text);
        return EXIT_FAILURE;
    }
    mereau_tenant *acme = mereau_tenant_open(ctx, "acme");
    mereau_op_free(run(mereau_tenant_create(acme, "https://id.acme.example")));

    /* The library is given the public half and the HSM's name for the key. */
    write_jwk(jwk, point);
    mereau_op *key = mereau_key_import(acme, MEREAU_ALG_ES256);
    mereau_op_set_text(key, MEREAU_JWK, jwk);
    mereau_op_set_text(key, MEREAU_KEY_LABEL, "jwt-1");
    run(key);
    printf("kid %s: published now, signs in %lld hours\n",
           mereau_op_text(key, MEREAU_KID),
           (long long)(mereau_op_int(key, MEREAU_SIGNS_AT) -
                       mereau_op_int(key, MEREAU_PUBLISHED_AT)) /
               3600);
    ahead_s = mereau_op_int(key, MEREAU_SIGNS_AT) -
              mereau_op_int(key, MEREAU_PUBLISHED_AT);
    issue_one(acme, &hsm);

    mereau_op_free(key);
    mereau_tenant_free(acme);
    mereau_ctx_free(ctx);
    mereau_store_close(store);
    hsm_close(&hsm);
    return EXIT_SUCCESS;
}
