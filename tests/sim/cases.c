/* tests/sim/cases.c - see sim.h. Tokens of the base: 0 has one count, 1 two, 2
 * three and a subject of its own, 3 two in two sub-counts, 4 two and belongs to
 * app-1, 5 four in sub-counts. */
#include "sim.h"

#define REPLY                                                                  \
    (SIM_FAULT(SIM_UNKNOWN_NOW) | SIM_FAULT(SIM_UNKNOWN_NEVER) |               \
     SIM_FAULT(SIM_UNKNOWN_LATE))
#define CRASH                                                                  \
    (SIM_FAULT(SIM_CRASH_BEFORE) | SIM_FAULT(SIM_CRASH_AFTER) |                \
     SIM_FAULT(SIM_CRASH_LATE))
#define AGAIN (SIM_FAULT(SIM_CONFLICT) | SIM_FAULT(SIM_BUSY))
#define FAMILY (SIM_BEFORE_REDEEM | SIM_BEFORE_EXCHANGE)

const struct sim_case sim_cases[] = {
    {.name = "last_count",
     .scripts = {{{SIM_REDEEM, 0, 0, 0}},
                 {{SIM_REDEEM, 0, 1, 0}},
                 {{SIM_REDEEM, 0, 2, 0}}},
     .faults = SIM_ALL_FAULTS,
     .budget = 2},
    {.name = "one_device_twice",
     .scripts = {{{SIM_REDEEM, 1, 0, 0}, {SIM_EXCHANGE, 1, 0, 0}},
                 {{SIM_REDEEM, 1, 0, 0}},
                 {{SIM_REDEEM, 1, 0, 1}}},
     .faults = REPLY | CRASH,
     .budget = 2},
    {.name = "sub_counts",
     .scripts = {{{SIM_REDEEM, 3, 0, 0}},
                 {{SIM_REDEEM, 3, 1, 0}},
                 {{SIM_REDEEM, 3, 2, 0}}},
     .faults = SIM_ALL_FAULTS,
     .budget = 1},
    {.name = "redeem_revoke",
     .scripts = {{{SIM_REDEEM, 1, 0, 0}, {SIM_REDEEM, 1, 0, 0}},
                 {{SIM_REVOKE_TOKEN, 1, 0, 0}, {SIM_REDEEM, 1, 1, 0}},
                 {{SIM_REDEEM, 1, 2, 0}}},
     .faults = REPLY | CRASH,
     .budget = 1},
    {.name = "cascade_refresh",
     .before = FAMILY,
     .scripts = {{{SIM_REFRESH, 1, 0, 0}, {SIM_REFRESH, 1, 0, 0}},
                 {{SIM_REVOKE_TOKEN, 1, 0, 1}, {SIM_VERIFY, 1, 0, 0}},
                 {{SIM_REDEEM, 1, 1, 0}, {SIM_EXCHANGE, 1, 1, 0}}},
     .faults = REPLY | AGAIN,
     .budget = 1},
    {.name = "revoke_family_refresh",
     .before = FAMILY,
     .scripts = {{{SIM_REFRESH, 1, 0, 0}, {SIM_REFRESH, 1, 0, 0}},
                 {{SIM_REVOKE_FAMILY, 1, 0, 0}, {SIM_INTROSPECT, 1, 0, 0}},
                 {{SIM_REVOKE_HELD, 1, 0, 0}, {SIM_REDEEM, 1, 0, 0}}},
     .faults = REPLY | CRASH,
     .budget = 1},
    {.name = "revoke_auth_exchange",
     .before = SIM_BEFORE_REDEEM,
     .scripts = {{{SIM_EXCHANGE, 1, 0, 0}, {SIM_REFRESH, 1, 0, 0}},
                 {{SIM_REVOKE_AUTH, 1, 0, 0}, {SIM_REDEEM, 1, 0, 0}},
                 {{SIM_EXCHANGE, 1, 0, 0}}},
     .faults = REPLY | CRASH,
     .budget = 1},
    {.name = "not_before_device",
     .before = FAMILY,
     .scripts = {{{SIM_REFRESH, 1, 0, 0}},
                 {{SIM_RAISE, 1, 0, 3}, {SIM_VERIFY, 1, 0, 0}},
                 {{SIM_REDEEM, 2, 0, 0}, {SIM_EXCHANGE, 2, 0, 0}}},
     .faults = REPLY | AGAIN,
     .budget = 1},
    {.name = "not_before_subject",
     .before = FAMILY,
     .scripts = {{{SIM_REFRESH, 1, 0, 0}},
                 {{SIM_RAISE, 2, 1, 2}, {SIM_RAISE, 1, 0, 2}},
                 {{SIM_REDEEM, 2, 1, 0}, {SIM_EXCHANGE, 2, 1, 0}}},
     .faults = REPLY,
     .budget = 1},
    {.name = "not_before_app_tenant",
     .before = FAMILY,
     .scripts = {{{SIM_REFRESH, 1, 0, 0}},
                 {{SIM_RAISE, 1, 0, 1}, {SIM_RAISE, 1, 0, 0}},
                 {{SIM_REDEEM, 2, 1, 0}, {SIM_EXCHANGE, 2, 1, 0}}},
     .faults = REPLY,
     .budget = 1},
    {.name = "login_after_raise",
     .scripts = {{{SIM_RAISE, 1, 0, 0},
                  {SIM_RAISE, 1, 0, 1},
                  {SIM_RAISE, 1, 0, 2},
                  {SIM_RAISE, 1, 0, 3},
                  {SIM_REDEEM, 1, 0, 0},
                  {SIM_EXCHANGE, 1, 0, 0},
                  {SIM_REFRESH, 1, 0, 0},
                  {SIM_VERIFY, 1, 0, 0}}},
     .jumps = {-20, 40},
     .all_ok = 1},
    {.name = "disable_app",
     .before = FAMILY,
     .scripts = {{{SIM_REFRESH, 1, 0, 0}, {SIM_VERIFY, 1, 0, 0}},
                 {{SIM_APP_ENABLE, 1, 0, 0}, {SIM_APP_ENABLE, 1, 0, 1}},
                 {{SIM_REDEEM, 1, 1, 0}, {SIM_EXCHANGE, 1, 1, 0}}},
     .faults = REPLY,
     .budget = 1},
    {.name = "disable_tenant",
     .before = FAMILY,
     .scripts = {{{SIM_REFRESH, 1, 0, 0}, {SIM_VERIFY, 1, 0, 0}},
                 {{SIM_TENANT_ENABLE, 1, 0, 0}, {SIM_TENANT_ENABLE, 1, 0, 1}},
                 {{SIM_REDEEM, 1, 1, 0}, {SIM_MINT, 6, 1, 6}}},
     .faults = REPLY,
     .budget = 1},
    {.name = "delete_app",
     .before = FAMILY,
     .scripts = {{{SIM_REFRESH, 1, 0, 0}, {SIM_VERIFY, 1, 0, 0}},
                 {{SIM_APP_DELETE, 1, 0, 0}, {SIM_APP_LABEL, 1, 0, 0}},
                 {{SIM_APP_LABEL, 1, 0, 0}, {SIM_MINT, 6, 2, 6}}},
     .faults = REPLY,
     .budget = 1},
    {.name = "block_device",
     .scripts = {{{SIM_REDEEM, 1, 0, 0}, {SIM_REDEEM, 2, 0, 0}},
                 {{SIM_BLOCK, 1, 0, 0}, {SIM_UNBLOCK, 1, 0, 0}},
                 {{SIM_REDEEM, 1, 1, 0}}},
     .faults = REPLY | CRASH,
     .budget = 1},
    {.name = "rearm",
     .before = FAMILY,
     .scripts = {{{SIM_REFRESH, 1, 0, 0}, {SIM_VERIFY, 1, 0, 0}},
                 {{SIM_REARM, 1, 0, 0}, {SIM_REDEEM, 1, 0, 1}},
                 {{SIM_EXCHANGE, 1, 0, 0}, {SIM_REDEEM, 1, 1, 0}}},
     .faults = REPLY,
     .budget = 1},
    {.name = "rearm_redeem",
     .before = SIM_BEFORE_REDEEM,
     .scripts = {{{SIM_REDEEM, 1, 0, 0}, {SIM_EXCHANGE, 1, 0, 0}},
                 {{SIM_REARM, 1, 0, 0}},
                 {{SIM_REDEEM, 1, 0, 1}, {SIM_EXCHANGE, 1, 0, 0}}},
     .faults = REPLY | CRASH,
     .budget = 1},
    {.name = "refresh_together",
     .before = FAMILY,
     .scripts = {{{SIM_REFRESH, 1, 0, SIM_NONCE}},
                 {{SIM_REFRESH, 1, 0, SIM_NONCE}},
                 {{SIM_REFRESH, 1, 0, SIM_NONCE}}},
     .faults = REPLY | CRASH,
     .budget = 2},
    {.name = "refresh_rivals",
     .before = FAMILY,
     .scripts = {{{SIM_REFRESH, 1, 0, SIM_OWN_NONCE}},
                 {{SIM_REFRESH, 1, 0, SIM_OWN_NONCE}},
                 {{SIM_REFRESH, 1, 0, SIM_OWN_NONCE}, {SIM_VERIFY, 1, 0, 0}}},
     .faults = REPLY,
     .budget = 1},
    {.name = "exchange_rivals",
     .before = SIM_BEFORE_REDEEM,
     .scripts = {{{SIM_EXCHANGE, 1, 0, SIM_NO_NONCE}, {SIM_REFRESH, 1, 0, 0}},
                 {{SIM_EXCHANGE, 1, 0, SIM_NO_NONCE}},
                 {{SIM_EXCHANGE, 1, 0, SIM_OWN_NONCE}}},
     .faults = REPLY,
     .budget = 1},
    {.name = "grace_over",
     .before = FAMILY,
     .scripts = {{{SIM_REFRESH, 1, 0, SIM_NO_NONCE}},
                 {{SIM_REFRESH, 1, 0, SIM_NO_NONCE}},
                 {{SIM_REFRESH, 1, 0, SIM_NONCE}}},
     .jumps = {9, 2},
     .faults = REPLY,
     .budget = 1},
    {.name = "stolen",
     .before = FAMILY | SIM_BEFORE_REFRESH,
     .scripts = {{{SIM_REFRESH, 1, 0, 0}, {SIM_VERIFY, 1, 0, 0}},
                 {{SIM_STEAL, 1, 0, 1}, {SIM_VERIFY_REFRESH, 1, 0, 0}},
                 {{SIM_STEAL, 1, 0, 0}}},
     .faults = REPLY | CRASH,
     .budget = 1},
    {.name = "stolen_revoked",
     .before = FAMILY | SIM_BEFORE_REFRESH,
     .scripts = {{{SIM_STEAL, 1, 0, 1}, {SIM_VERIFY, 1, 0, 0}},
                 {{SIM_REVOKE_FAMILY, 1, 0, 0}},
                 {{SIM_REFRESH, 1, 0, 0}}},
     .faults = REPLY,
     .budget = 1},
    {.name = "lost_answers",
     .scripts = {{{SIM_REDEEM, 1, 0, 0},
                  {SIM_EXCHANGE, 1, 0, 0},
                  {SIM_REFRESH, 1, 0, 0},
                  {SIM_REFRESH, 1, 0, 0},
                  {SIM_VERIFY, 1, 0, 0}}},
     .faults = SIM_ALL_FAULTS,
     .budget = 3,
     .all_ok = 1},
    {.name = "lost_answers_two",
     .scripts = {{{SIM_REDEEM, 1, 0, 0},
                  {SIM_EXCHANGE, 1, 0, 0},
                  {SIM_REFRESH, 1, 0, 0}},
                 {{SIM_REDEEM, 1, 1, 0}, {SIM_EXCHANGE, 1, 1, 0}}},
     .faults = SIM_ALL_FAULTS,
     .budget = 2,
     .all_ok = 1},
    {.name = "lost_answers_keyed",
     .scripts = {{{SIM_REDEEM, 1, 4, 0},
                  {SIM_EXCHANGE, 1, 4, SIM_NO_NONCE},
                  {SIM_REFRESH, 1, 4, SIM_NO_NONCE},
                  {SIM_REFRESH, 1, 4, SIM_NO_NONCE},
                  {SIM_VERIFY, 1, 4, 0}}},
     .faults = SIM_ALL_FAULTS,
     .budget = 2,
     .jumps = {30},
     .all_ok = 1},
    {.name = "keyed_rivals",
     .scripts = {{{SIM_REDEEM, 1, 4, 0}, {SIM_EXCHANGE, 1, 4, 1}},
                 {{SIM_REDEEM, 1, 4, 1}, {SIM_STEAL, 1, 4, 0}},
                 {{SIM_REFRESH, 1, 4, 1}}},
     .faults = REPLY | CRASH,
     .budget = 1},
    {.name = "lost_answer_late",
     .before = FAMILY,
     .scripts = {{{SIM_REFRESH, 1, 0, SIM_NO_NONCE},
                  {SIM_REFRESH, 1, 0, SIM_NO_NONCE}}},
     .faults = REPLY | AGAIN,
     .budget = 3,
     .jumps = {20},
     .all_ok = 1},
    {.name = "scope",
     .before = FAMILY,
     .scripts = {{{SIM_REFRESH, 1, 0, SIM_NARROW}, {SIM_REFRESH, 1, 0, 0}},
                 {{SIM_REFRESH, 1, 0, SIM_NARROW}}},
     .faults = REPLY | CRASH,
     .budget = 1},
    {.name = "count_up_down",
     .scripts = {{{SIM_REDEEM, 3, 0, 0}},
                 {{SIM_COUNT, 3, 0, 1}, {SIM_COUNT, 3, 0, 3}},
                 {{SIM_REDEEM, 3, 1, 0}}},
     .faults = REPLY,
     .budget = 1},
    {.name = "reissue",
     .scripts = {{{SIM_REDEEM, 1, 0, 0}, {SIM_REDEEM, 6, 0, 0}},
                 {{SIM_REISSUE, 1, 0, 6}},
                 {{SIM_REDEEM, 1, 1, 0}, {SIM_REDEEM, 6, 1, 0}}},
     .faults = REPLY | CRASH,
     .budget = 1},
    {.name = "mint",
     .scripts = {{{SIM_MINT, 6, 1, 6}, {SIM_REDEEM, 6, 0, 0}},
                 {{SIM_REDEEM, 6, 1, 0}},
                 {{SIM_RAISE, 1, 0, 0}}},
     .faults = SIM_ALL_FAULTS,
     .budget = 2},
    {.name = "purge",
     .before = FAMILY,
     .scripts = {{{SIM_REFRESH, 1, 0, 0}, {SIM_STEAL, 1, 0, 1}},
                 {{SIM_PURGE, 0, 0, 0}, {SIM_PURGE, 0, 0, 0}},
                 {{SIM_REDEEM, 1, 1, 0}, {SIM_REDEEM, 1, 0, 1}}},
     .jumps = {8 * MRU_DAY_S, 30 * MRU_DAY_S, 200 * MRU_DAY_S},
     .faults = REPLY,
     .budget = 1},
    {.name = "clock_back",
     .before = FAMILY,
     .scripts = {{{SIM_REFRESH, 1, 0, 0}, {SIM_REFRESH, 1, 0, 0}},
                 {{SIM_RAISE, 2, 1, 0},
                  {SIM_REDEEM, 2, 1, 0},
                  {SIM_EXCHANGE, 2, 1, 0}}},
     .jumps = {100, -50, -200},
     .faults = REPLY,
     .budget = 1},
    {.name = "mint_plain",
     .scripts = {{{SIM_MINT, 0, 1, 6}}, {{SIM_RAISE, 1, 0, 0}}},
     .faults = REPLY | AGAIN,
     .budget = 3},
    {.name = "mint_retried",
     .scripts = {{{SIM_MINT, 6, 1, 6}}},
     .faults = SIM_ALL_FAULTS,
     .budget = 3,
     .all_ok = 1},
    {.name = "clock_back_alone",
     .before = FAMILY,
     .scripts = {{{SIM_REFRESH, 1, 0, 0},
                  {SIM_REFRESH, 1, 0, 0},
                  {SIM_REFRESH, 1, 0, SIM_NO_NONCE}}},
     .jumps = {100, -50, -200}},
    {.name = "purge_early",
     .scripts = {{{SIM_REDEEM, 0, 0, 0}}, {{SIM_PURGE, 0, 0, 0}}},
     .jumps = {8 * MRU_DAY_S, 82 * MRU_DAY_S, 8 * MRU_DAY_S}},
    {.name = "signer",
     .jwt = 1,
     .scripts = {{{SIM_REDEEM, 1, 0, 0},
                  {SIM_EXCHANGE, 1, 0, 0},
                  {SIM_REFRESH, 1, 0, 0},
                  {SIM_VERIFY, 1, 0, 0}}},
     .faults = SIM_ALL_FAULTS,
     .budget = 2,
     .all_ok = 1},
    {.name = "signer_revoke",
     .jwt = 1,
     .before = FAMILY,
     .scripts = {{{SIM_REFRESH, 1, 0, 0}, {SIM_VERIFY, 1, 0, 0}},
                 {{SIM_REVOKE_TOKEN, 1, 0, 1}, {SIM_VERIFY, 1, 0, 0}}},
     .faults = REPLY | SIM_FAULT(SIM_BUSY),
     .budget = 1},
    {.name = "key_revoked",
     .jwt = 1,
     .before = FAMILY,
     .scripts = {{{SIM_REFRESH, 1, 0, 0}}, {{SIM_KEY_REVOKE, 1, 0, 0}}}},
    {.name = "mint_off",
     .scripts = {{{SIM_MINT, 6, 1, 6}},
                 {{SIM_APP_ENABLE, 1, 0, 0}, {SIM_APP_ENABLE, 1, 0, 1}},
                 {{SIM_REISSUE, 1, 0, 7}}},
     .faults = REPLY,
     .budget = 1},
    {.name = "grace_raise",
     .before = FAMILY,
     .scripts = {{{SIM_REFRESH, 1, 0, SIM_NO_NONCE}},
                 {{SIM_REFRESH, 1, 0, SIM_NO_NONCE}},
                 {{SIM_RAISE, 1, 0, 3}}},
     .faults = REPLY,
     .budget = 1},
    {.name = "overtaken",
     .before = FAMILY,
     .scripts = {{{SIM_REFRESH, 1, 0, 0}},
                 {{SIM_REFRESH, 1, 0, 0}, {SIM_REFRESH, 1, 0, 0}}},
     .faults = REPLY | AGAIN,
     .budget = 2},
    {.name = "scope_rivals",
     .before = FAMILY,
     .scripts = {{{SIM_REFRESH, 1, 0, SIM_NARROW}},
                 {{SIM_REFRESH, 1, 0, SIM_NONCE}}},
     .faults = REPLY,
     .budget = 1},
    {.name = "raise_redeemed",
     .before = SIM_BEFORE_REDEEM,
     .scripts = {{{SIM_REDEEM, 1, 0, 0}, {SIM_EXCHANGE, 1, 0, 0}},
                 {{SIM_RAISE, 1, 0, 3}}},
     .faults = REPLY,
     .budget = 1},
    {.name = "count_down",
     .scripts = {{{SIM_REDEEM, 1, 0, 0}},
                 {{SIM_COUNT, 1, 0, 1}},
                 {{SIM_REDEEM, 1, 1, 0}}},
     .faults = REPLY,
     .budget = 1},
    {.name = "one_process",
     .before = FAMILY,
     .procs = 1,
     .scripts = {{{SIM_REFRESH, 1, 0, 0}, {SIM_REFRESH, 1, 0, 0}},
                 {{SIM_APP_ENABLE, 1, 0, 0}, {SIM_APP_ENABLE, 1, 0, 1}},
                 {{SIM_REDEEM, 1, 1, 0}, {SIM_VERIFY, 1, 0, 0}}},
     .faults = REPLY,
     .budget = 1},
};
const size_t sim_n_cases = sizeof sim_cases / sizeof sim_cases[0];

/* --- drawn --- */

uint64_t sim_draw(uint64_t *state) {
    *state += UINT64_C(0x9e3779b97f4a7c15);
    return sim_mix(*state, 11);
}

/* How often each kind is asked for. */
static uint8_t draw_kind(uint64_t draw) {
    static const uint8_t often[] = {
        SIM_REDEEM,      SIM_REDEEM,         SIM_REDEEM,      SIM_REDEEM,
        SIM_REDEEM,      SIM_EXCHANGE,       SIM_EXCHANGE,    SIM_EXCHANGE,
        SIM_EXCHANGE,    SIM_REFRESH,        SIM_REFRESH,     SIM_REFRESH,
        SIM_REFRESH,     SIM_REFRESH,        SIM_REFRESH,     SIM_STEAL,
        SIM_VERIFY,      SIM_VERIFY_REFRESH, SIM_INTROSPECT,  SIM_REVOKE_TOKEN,
        SIM_REVOKE_AUTH, SIM_REVOKE_FAMILY,  SIM_REVOKE_HELD, SIM_RAISE,
        SIM_RAISE,       SIM_APP_ENABLE,     SIM_APP_ENABLE,  SIM_APP_LABEL,
        SIM_BLOCK,       SIM_UNBLOCK,        SIM_REARM,       SIM_COUNT,
        SIM_COUNT,       SIM_EXTEND,         SIM_REISSUE,     SIM_MINT,
        SIM_PURGE,       SIM_TENANT_ENABLE};
    if (draw % 97 == 0)
        return SIM_APP_DELETE;
    return often[draw / 97 % sizeof often];
}

/* place: of the next token that is made; each place is used once. */
static struct sim_step draw_step(uint64_t *state, int mine, int *place) {
    struct sim_step step;
    uint64_t draw = sim_draw(state);
    step.kind = draw_kind(draw >> 20);
    step.token = (uint8_t)(draw % 8);
    step.device = (uint8_t)(draw / 7 % 3 == 0 ? draw / 21 % SIM_DEVICES
                                              : (uint64_t)mine % SIM_DEVICES);
    draw >>= 40;
    step.arg = 0;
    switch (step.kind) {
    case SIM_REDEEM:
        step.arg = draw % 8 == 0;
        break;
    case SIM_EXCHANGE:
    case SIM_REFRESH:
        step.arg = draw % 4 == 0 ? (uint8_t)(draw / 4 % 8) : 0;
        break;
    case SIM_RAISE:
        step.token %= SIM_BASE_TOKENS; /* whose app is known from the start */
        step.arg = (uint8_t)(draw % 4);
        break;
    case SIM_APP_DELETE:
    case SIM_APP_LABEL:
        step.token %= SIM_BASE_TOKENS;
        break;
    case SIM_TENANT_ENABLE:
        step.arg = draw % 3 != 0;
        break;
    case SIM_APP_ENABLE:
        step.token %= SIM_BASE_TOKENS;
        step.arg = draw % 3 != 0;
        break;
    case SIM_STEAL:
        step.arg = (uint8_t)(draw % 4);
        break;
    case SIM_REVOKE_TOKEN:
        step.arg = draw % 3 != 0;
        break;
    case SIM_COUNT:
        step.arg = (uint8_t)(1 + draw % 5);
        break;
    case SIM_REISSUE:
    case SIM_MINT:
        if (*place == SIM_TOKENS)
            step.kind = SIM_VERIFY;
        else
            step.arg = (uint8_t)(*place)++;
        break;
    default:
        break;
    }
    if (step.kind == SIM_MINT) {
        step.token = step.arg;
        step.device = (uint8_t)(1 + draw / 3 % 3);
    }
    return step;
}

void sim_case_random(struct sim_case *one, uint64_t *state) {
    static const int64_t jumps[] = {5, 11, -20, 40, 70, 400, -90};
    uint64_t draw = sim_draw(state);
    int n = 2 + (int)(draw % 5);
    uint8_t home = (uint8_t)(draw / 5 % 6), busy = draw / 31 % 2 == 0;
    int place = SIM_BASE_TOKENS;
    memset(one, 0, sizeof *one);
    one->name = "random";
    one->faults = SIM_ALL_FAULTS;
    one->budget = (int)(draw / 64 % 9);
    one->procs = (int)(draw / 1024 % 4);
    one->before = (uint32_t)(draw / 4096 % 4 == 0 ? 3 : 0);
    for (int i = 0; i < n; i++) {
        int len = 3 + (int)(sim_draw(state) % (SIM_SCRIPT - 3));
        for (int k = 0; k < len; k++) {
            one->scripts[i][k] = draw_step(state, i, &place);
            if (busy && one->scripts[i][k].kind != SIM_MINT)
                one->scripts[i][k].token = home; /* all on one token */
        }
    }
    draw = sim_draw(state);
    for (int k = 0; k < 3 && draw % 3 == 0; k++)
        one->jumps[k] = jumps[(draw >> (8 + 3 * k)) % 7];
    if (draw / 3 % 16 == 0)
        one->jumps[3] = (int64_t)(8 + draw / 64 % 300) * MRU_DAY_S;
}
