"""The planted bugs. Each is one or more exact pieces of lib/ (white space apart) and
what stands there instead. `cases` are run first; then all of the simulator, then
`tests`. Those of a store that needs a server (lib/adapters) are left to its own tests,
where client library and server are installed. A piece that is not found exactly once
is a failure: the mutant must be brought up to date with the code."""

REDEEM = "engine/redeem.c"
REFRESH = "engine/refresh.c"
ENROLMENT = "engine/enrolment.c"
GATHER = "engine/gather.c"
TX = "transact/tx.c"
SNAPSHOT = "transact/snapshot.c"
FAMILY = "model/family.c"
GROUP = "adapters/front/group.c"
READ_CACHE = "adapters/front/read_cache.c"
PG_WIRE = "adapters/postgres/wire.c"
PG_WRITE = "adapters/postgres/write.c"
REDIS_SCRIPT = "adapters/redis/script.c"
REDIS_WIRE = "adapters/redis/wire.c"


def m(name, source, file, old, new, cases="", tests=(), more=()):
    return dict(name=name, source=source, cases=cases, tests=tests,
                edits=[(file, old, new), *more])


# No step of the engine sees these: threads have to be on both sides of a front.
def front(name, file, old, new):
    return m(name, "own", file, old, new, "none", ("store/test_front_histories",))


def adapter(name, file, old, new, test):
    return m(name, "own", file, old, new, "none", [test])


MUTANTS = [
    # --- bugs of peers -----------------------------------------------------------
    m("count_bypass_in_parallel", "keycloak#27294", REDEEM,
      "return mru_tx_put(&op->tx, &r->slot_key, &r->slot,",
      "return mru_tx_put_any(&op->tx, &r->slot_key, &r->slot,", "last_count"),
    m("used_plus_one_after_stale_check", "MAS registration_token.rs:495", SNAPSHOT,
      "rec != NULL ? rec->version : MEREAU_VERSION_ABSENT, bag, drop_at);",
      "MEREAU_VERSION_ANY, bag, drop_at);", "last_count"),
    m("count_of_zero", "keycloak#18445", "engine/mint.c",
      "mereau_status status = mru_check_range(op, MEREAU_COUNT, 1, MAX_COUNT);",
      "mereau_status status = mru_check_range(op, MEREAU_COUNT, 0, MAX_COUNT);", "edge"),
    m("lifetime_of_zero", "keycloak#18445", "engine/mint.c",
      "mru_check_range(op, MEREAU_LIFETIME_S, 1, most)",
      "mru_check_range(op, MEREAU_LIFETIME_S, 0, most)", "edge"),
    m("refresh_reuse_in_parallel", "CVE-2026-1035", ENROLMENT,
      "return mru_tx_put(&op->tx, &family->key, &family->record, ends);",
      "return mru_tx_put_any(&op->tx, &family->key, &family->record, ends);",
      "refresh_rivals"),
    m("revoke_loses_to_refresh", "keycloak#51312, OAS RevocationBarrier", REFRESH,
      "status = mru_family_put(op, &step->family); return status == MEREAU_OK ? "
      "mru_family_check_heads(op, &step->family) : status; } "
      "static mereau_status repeat(",
      "status = mru_family_put(op, &step->family); return status; } "
      "static mereau_status repeat(", "cascade_refresh"),
    m("auth_token_replay", "supabase#2613, twenty#26025, keycloak#48902", FAMILY,
      "if (presented == current) return MRU_TOKEN_CURRENT;",
      "if (presented == current || presented == 0) return MRU_TOKEN_CURRENT;",
      "exchange_rivals"),
    m("check_then_write", "panva/node-oidc-provider 9.13.3, better-auth#9096", SNAPSHOT,
      "return stage_put(tx, key, MEREAU_VERSION_ABSENT, bag, drop_at);",
      "return stage_put(tx, key, MEREAU_VERSION_ANY, bag, drop_at);", "",
      more=[(ENROLMENT,
             "return mru_tx_put(&op->tx, &family->key, &family->record, ends);",
             "return mru_tx_put_new(&op->tx, &family->key, &family->record, ends);")]),
    m("result_of_commit_ignored", "everruns#2427", TX,
      "case MEREAU_STORE_CONFLICT: return retry(tx, 0);",
      "case MEREAU_STORE_CONFLICT: return applied(tx);", "last_count"),
    m("deleted_app_resurrected_by_racing_update", "OAS store.rs (RFC 7592)",
      "engine/app.c", "status = mru_tx_put(&op->tx, &key, app, 0);",
      "status = mru_tx_put_any(&op->tx, &key, app, 0);", "delete_app",
      more=[(GATHER, "status = mru_tx_put(&op->tx, key, &bag, 0);",
             "status = mru_tx_put_any(&op->tx, key, &bag, 0);")]),
    m("deleted_app_resurrected_by_update", "OAS store.rs (RFC 7592)", "engine/admin.c",
      "(!there || mru_bag_int_or(app, MRU_F_DELETED, 0) != 0))", "!there)",
      "delete_app"),
    m("barrier_refuses_later_login", "OAS 0.9.1", "model/notbefore.c",
      "born->born_at = mru_not_before_iat(levels, now_at);", "born->born_at = now_at;",
      "login_after_raise"),
    m("barrier_refuses_later_grant", "OAS 0.9.1", "model/notbefore.c",
      "born->generation[i] = generation_of(levels[i]); born->born_at",
      "born->generation[i] = 0; born->born_at", "login_after_raise"),
    m("empty_id_is_everybody", "OAS CHANGELOG 0.9.1", "engine/notbefore_op.c",
      "if (**id == '\\0')", "if (**id == '\\1')", "edge"),
    m("count_burnt_by_retry", "nebula-mesh#150, aos-ce#187", REDEEM,
      "status = r.enrolled && mru_bag_int(&r.family.record, MRU_F_STEP) != "
      "MRU_STEP_REARMED ? repeat(op, &r)",
      "status = r.enrolled && mru_bag_int(&r.family.record, MRU_F_STEP) == 99 "
      "? repeat(op, &r)", "lost_answers"),
    m("count_burnt_by_refusal", "nebula-mesh#150, aos-ce#187", REDEEM,
      "if (r->family.device_there && mru_bag_int_or(&r->family.device, MRU_F_BLOCKED, 0) "
      "!= 0) return mru_refuse(", "if (0) return mru_refuse(", "block_device",
      more=[(REDEEM, "if (status != MEREAU_OK) return status; if (!r->enrolled) "
             "mru_bag_set_int(",
             "if (status != MEREAU_OK) return status; if (r->family.device_there && "
             "mru_bag_int_or(&r->family.device, MRU_F_BLOCKED, 0) != 0) { op->verdict = "
             "mru_refuse(&op->verdict_err, MEREAU_E_BLOCKED, \"device.blocked\", NULL, "
             "\"\", \"\"); return MEREAU_OK; } if (!r->enrolled) mru_bag_set_int(")]),
    m("lost_answer_kills_session", "MAS#2795, atproto#5411", FAMILY,
      "if (presented == current - 1) return judge_repeat(record, token);", "",
      "lost_answers"),
    m("lost_answer_of_redemption", "MAS#2795, atproto#5411", REDEEM,
      "if (!proved) return refuse_enrolled(",
      "if (!proved || r->has_nonce) return refuse_enrolled(", "lost_answers"),
    m("family_grows_with_every_refresh", "openiddict#1381, logto#9545", REFRESH,
      "advance(op, step); if (step->family.record.failed)",
      "advance(op, step); { struct mru_rkey more = step->family.key; uint8_t g = "
      "(uint8_t)step->issue.generation; mru_rkey_add(&more, &g, 1); "
      "(void)mru_tx_put_any(&op->tx, &more, &step->family.record, 0); } "
      "if (step->family.record.failed)", "lost_answers"),
    m("sweep_deletes_evidence", "hydra#1639", ENROLMENT,
      "return mru_tx_put(&op->tx, &family->key, &family->record, ends);",
      "return mru_tx_put(&op->tx, &family->key, &family->record, "
      "mru_enrolment_ends(record) > 0 ? op->now_at + 3600 : ends);", "purge"),
    m("sweep_before_its_time", "hydra#1639", "engine/purge.c",
      "return rec->drop_at <= op->now_at;",
      "return rec->drop_at <= op->now_at + 30 * MRU_DAY_S;", "purge_early"),
    m("new_key_signs_at_once", "hydra#2535", "engine/key.c",
      "if (at < mru_add_time(op->now_at, MRU_KEY_LEAD_S))", "if (at < op->now_at)",
      "none", tests=("flow/test_keys",)),
    m("published_key_signs", "hydra#2535", "model/keyring.c",
      "key->signs_at != MEREAU_UNSET && key->signs_at <= now_at;",
      "key->signs_at != MEREAU_UNSET;", "none",
      tests=("unit/test_keyring", "flow/test_keys")),
    m("two_keys_cannot_choose", "SAS#1005", "model/keyring.c",
      "(best == NULL || key->signs_at >= best->signs_at)) best = key;",
      "1) { if (best != NULL) return NULL; best = key; }", "none",
      tests=("unit/test_keyring", "flow/test_keys")),
    m("old_rows_cannot_be_read", "SAS#397, uaa#181", "record/encode.c",
      "return num < 0 ? ~((uint64_t)num << 1) : (uint64_t)num << 1;",
      "return num < 0 ? (uint64_t)num << 1 : ~((uint64_t)num << 1);", "edge", more=[("record/encode.c", "type, unzigzag(value));",
                     "type, unzigzag(~value));")]),
    m("unknown_members_are_refused", "SAS#397, uaa#181", "record/encode.c",
      "if (get_varint(p, end, &field) != 0 || field > INT32_MAX || *p == end)",
      "if (get_varint(p, end, &field) != 0 || field > 5500 || *p == end)", "edge"),
    m("revoked_device_enrols_again", "shadow-ai-guard#191", REDEEM,
      "status = r.enrolled && mru_bag_int(&r.family.record, MRU_F_STEP) != "
      "MRU_STEP_REARMED ? repeat(op, &r)",
      "status = r.enrolled && mru_bag_int(&r.family.record, MRU_F_STEP) < "
      "MRU_STEP_ENDED ? repeat(op, &r)", "revoke_auth_exchange"),
    m("ledger_without_device", "spire#1523", ENROLMENT,
      "MEREAU_REGISTRATION_TOKEN_ID, MEREAU_CLIENT_ID, MEREAU_DEVICE_ID, MEREAU_SUBJECT,",
      "MEREAU_REGISTRATION_TOKEN_ID, MEREAU_CLIENT_ID, MEREAU_SUBJECT,", "last_count"),
    m("ledger_without_entry", "spire#1523", REDEEM,
      "return n > 0 ? mru_put_index(op, keys, n, 0) : MEREAU_E_CRYPTO;",
      "return n > 0 ? MEREAU_OK : MEREAU_E_CRYPTO;", "last_count"),
    m("scope_on_refresh_ignored", "fosite flow_refresh.go:94", REFRESH,
      "const char *asked = mru_bag_text(&op->in, MEREAU_SCOPE); const char *app",
      "const char *asked = NULL; const char *app", "scope"),
    m("prune_skips_a_page", "openiddict#1216", "engine/purge.c",
      "go_on(op, &rec->key, 0);", "go_on(op, &rec->key, 1);", "edge"),
    m("prune_stops_after_a_page", "openiddict#1216", "engine/purge.c",
      "if (status == MEREAU_OK && scan->n == SCANNED)",
      "if (status == MEREAU_OK && scan->n == SCANNED + 1)", "edge"),

    # --- every CHECK of a head -----------------------------------------------------
    m("issue_without_tenant_head", "own", ENROLMENT,
      "mereau_status status = mru_check_head(op); if (status == MEREAU_OK) status = "
      "mru_check_bucket(op, family->subject_head);",
      "mereau_status status = mru_check_bucket(op, family->subject_head);",
      "disable_app"),
    m("issue_without_subject_head", "own", ENROLMENT,
      "if (status == MEREAU_OK) status = mru_check_bucket(op, family->subject_head);",
      "", "not_before_subject"),
    m("issue_without_device_head", "own", ENROLMENT,
      "if (status == MEREAU_OK) status = mru_check_bucket(op, family->device_head);",
      "", "not_before_device"),
    m("redeem_without_heads", "own", REDEEM,
      "status = mru_family_check_heads(op, &r->family);", "status = MEREAU_OK;",
      "not_before_app_tenant"),
    m("redeem_without_token_check", "own", REDEEM,
      "if (status == MEREAU_OK) status = mru_tx_check(&op->tx, &r->token_key);", "",
      "redeem_revoke"),
    m("mint_without_head", "own", "engine/mint.c",
      "status = mru_registration_stage(op, &record, 0, &op->out); if (status == "
      "MEREAU_OK) status = mru_check_head(op);",
      "status = mru_registration_stage(op, &record, 0, &op->out);", "mint_off"),
    m("reissue_without_sub_counts", "own", "engine/mint.c",
      "status = mru_tx_check(&op->tx, &old->slot_keys[i]);", "(void)0;", "reissue"),
    m("reissue_without_head", "own", "engine/mint.c",
      "status = mru_tx_check(&op->tx, &old->slot_keys[i]); if (status == MEREAU_OK) "
      "status = mru_check_head(op);",
      "status = mru_tx_check(&op->tx, &old->slot_keys[i]);", "mint_off"),
    m("grace_without_heads", "own", REFRESH,
      "mru_bag_set_int(&step->family.record, MRU_F_GRACE_USED, 'B', 1); status = "
      "mru_family_put(op, &step->family); return status == MEREAU_OK ? "
      "mru_family_check_heads(op, &step->family) : status;",
      "mru_bag_set_int(&step->family.record, MRU_F_GRACE_USED, 'B', 1); status = "
      "mru_family_put(op, &step->family); return status;", "grace_raise"),
    m("check_is_no_condition", "own", SNAPSHOT,
      "return stage(tx, MEREAU_WRITE_CHECK, rec->version, key, &one);",
      "(void)one; return MEREAU_OK;", "redeem_revoke"),

    # --- every rewriting of a head -------------------------------------------------
    m("block_without_head", "own", "engine/device.c",
      "status = mru_bump_bucket(op, head);", "status = MEREAU_OK;", "block_device"),
    m("raise_without_names_head", "own", "engine/notbefore_op.c",
      "has_names(level) ? mru_bump_bucket(op, level->head) : mru_bump_head(op);",
      "has_names(level) ? MEREAU_OK : mru_bump_head(op);", "not_before_device"),
    m("raise_without_tenant_head", "own", "engine/notbefore_op.c",
      "has_names(level) ? mru_bump_bucket(op, level->head) : mru_bump_head(op);",
      "has_names(level) ? mru_bump_bucket(op, level->head) : MEREAU_OK;",
      "not_before_app_tenant"),
    m("cascade_without_head", "own", "engine/registration_admin.c",
      "if (status == MEREAU_OK) status = mru_bump_head(op);", "", "cascade_refresh"),
    m("app_without_head", "own", "engine/app.c",
      "mru_tx_witness(&op->tx, &key); if (status == MEREAU_OK) status = "
      "mru_bump_head(op);", "mru_tx_witness(&op->tx, &key);", "disable_app"),

    # --- the witness ---------------------------------------------------------------
    m("lost_reply_means_done", "own", TX,
      "tx->unsettled = 1; tx->unknown[", "return applied(tx); tx->unknown[",
      "last_count"),
    m("lost_reply_means_not_done", "own", TX,
      "tx->unsettled = 1; tx->unknown[", "return retry(tx, 1); tx->unknown[",
      "lost_answers"),
    m("witness_forgotten_by_conflict", "own: was in this library", TX,
      "static int again(struct mru_tx *tx, int busy) {",
      "static int again(struct mru_tx *tx, int busy) { "
      "if (tx->result == MEREAU_STORE_CONFLICT) tx->lost.len = 0;", "last_count"),
    m("history_not_kept", "own", SNAPSHOT,
      "if (rec != NULL) remember(bag, rec->version);",
      "if (rec == NULL) remember(bag, 0);", "overtaken"),
    m("only_last_lost_reply_counts", "own", TX,
      "tx->unknown[tx->n_unknown++] = tx->version;",
      "tx->n_unknown = 0; tx->unknown[tx->n_unknown++] = tx->version;",
      "lost_answers_two"),
    m("other_ids_at_every_attempt", "own", SNAPSHOT,
      "mru_put_u32(info, index);",
      "mru_put_u32(info, index + (strcmp(label, \"version\") == 0 ? 0 : "
      "1000 * tx->attempts));", "mint_plain"),
    m("one_version_for_all_attempts", "own", TX,
      "mru_tx_random(tx, \"version\", tx->attempts, bytes, sizeof bytes)",
      "mru_tx_random(tx, \"version\", 0, bytes, sizeof bytes)", "last_count"),
    m("commit_after_a_long_pause", "own", TX,
      "if (now_at > mru_add_time(tx->started_at, MRU_MAX_PARK_S))",
      "if (now_at > mru_add_time(tx->started_at, 1000 * MRU_MAX_PARK_S))",
      "clock_back"),
    m("idempotency_key_not_looked_up", "own", "engine/idempotent.c",
      "if (status == MEREAU_OK && there && mru_bag_int_or(&kept, MEREAU_EXPIRES_AT, 0) "
      "> op->now_at) {",
      "if (status == MEREAU_OK && there && mru_bag_int_or(&kept, MEREAU_EXPIRES_AT, 0) "
      "> INT64_MAX - 1) {", "mint_retried"),
    m("secret_kept_with_answer", "own", "engine/idempotent.c",
      "if (!mru_field_is_secret(from->items[i].field))",
      "if (from->items[i].field != 0)", "mint"),

    # --- families --------------------------------------------------------------------
    m("generation_not_compared", "own", FAMILY,
      "if (presented == current) return MRU_TOKEN_CURRENT;",
      "if (presented + 1 >= current) return MRU_TOKEN_CURRENT;",
      "grace_over"),
    m("restored_store_not_noticed", "own", FAMILY,
      "if (presented > current) return MRU_TOKEN_RESTORED;",
      "if (presented > current) return MRU_TOKEN_CURRENT;", "edge"),
    m("clock_back_not_noticed", "own", FAMILY,
      "if (used_at > mru_add_time(token->now_at, CLOCK_BACK_S)) return "
      "MRU_TOKEN_CLOCK_BACK;", "", "clock_back_alone"),
    m("proof_not_compared", "own", FAMILY, "if (proved) return same ?",
      "if (proved || token->nonce != NULL) return same ?", "refresh_rivals"),
    m("grace_for_ever", "own", FAMILY,
      "|| token->now_at >= mru_add_time(used_at, token->grace_s))", ")",
      "grace_over"),
    m("grace_more_than_once", "own", FAMILY,
      "mru_bag_int_or(record, MRU_F_GRACE_USED, 0) != 0 ||", "", "refresh_rivals"),
    m("grace_not_noted", "own", REFRESH,
      "case MRU_TOKEN_GRACE: return repeat(op, step, 1);",
      "case MRU_TOKEN_GRACE: return repeat(op, step, 0);", "grace_over"),
    m("repeat_with_other_parameters", "own", FAMILY,
      "int same = same_digest(record, MRU_F_PARAMETERS, token->parameters);",
      "int same = 1;", "scope_rivals"),
    m("reuse_ends_nothing", "own", REFRESH,
      "mereau_status status = mru_family_end(op, &step->family, \"reuse\");",
      "mereau_status status = MEREAU_OK;", "stolen"),
    m("reuse_is_allowed", "own", REFRESH,
      "op->verdict = mru_refuse(&op->verdict_err,",
      "(void)mru_refuse(&op->verdict_err,", "stolen"),
    m("ended_family_refreshes", "own", ENROLMENT,
      "if (mru_bag_int(record, MRU_F_STEP) == MRU_STEP_ENDED) { const char *by",
      "if (mru_bag_int(record, MRU_F_STEP) == 99) { const char *by",
      "revoke_family_refresh"),
    m("rearmed_family_refreshes", "own: was in this library", ENROLMENT,
      "if (mru_bag_int(record, MRU_F_STEP) == MRU_STEP_REARMED)",
      "if (mru_bag_int(record, MRU_F_STEP) == 99)", "rearm"),
    m("cascade_not_read", "own", ENROLMENT, "if (cascade != NULL) return",
      "if (cascade != NULL && op->now_at == 0) return", "cascade_refresh"),
    m("not_before_of_tenant_not_compared", "own", "model/notbefore.c",
      "for (int i = 0; i < MRU_LEVELS; i++) if (born->generation[i]",
      "for (int i = 1; i < MRU_LEVELS; i++) if (born->generation[i]",
      "not_before_app_tenant"),
    m("not_before_of_device_not_compared", "own", "model/notbefore.c",
      "for (int i = 0; i < MRU_LEVELS; i++) if (born->generation[i]",
      "for (int i = 0; i < MRU_LEVELS - 1; i++) if (born->generation[i]",
      "not_before_device"),
    m("used_refresh_token_is_live", "own", "engine/live.c",
      "if (live->cred.generation == (uint32_t)mru_bag_int_or(",
      "if (live->cred.generation <= (uint32_t)mru_bag_int_or(", "login_after_raise"),

    # --- redemptions -------------------------------------------------------------------
    m("redemption_repeated_for_anybody", "own", REDEEM,
      "if (!proved) return refuse_enrolled(",
      "if (!proved && op->now_at == 0) return refuse_enrolled(", "one_device_twice"),
    m("redemption_repeated_after_revocation", "own", REDEEM,
      "if (mru_bag_has(&r->token, MEREAU_REVOKED_AT)) return",
      "if (!r->enrolled && mru_bag_has(&r->token, MEREAU_REVOKED_AT)) return",
      "redeem_revoke"),
    m("redemption_repeated_after_not_before", "own", REDEEM,
      "if (mru_not_before(&r->family.born, r->family.levels) >= 0)",
      "if (mru_not_before(&r->family.born, r->family.levels) >= 99)", "raise_redeemed"),
    m("blocked_device_redeems", "own", REDEEM,
      "mru_bag_int_or(&r->family.device, MRU_F_BLOCKED, 0) != 0)",
      "mru_bag_int_or(&r->family.device, MRU_F_BLOCKED, 0) > 1)", "block_device"),
    m("one_count_too_many", "own", REDEEM,
      "return mru_bag_int_or(slot, MRU_F_USED, 0) < mru_bag_int_or(slot, MRU_F_QUOTA, 0);",
      "return mru_bag_int_or(slot, MRU_F_USED, 0) <= mru_bag_int_or(slot, MRU_F_QUOTA, 0);",
      "last_count"),
    m("other_sub_counts_not_tried", "own", REDEEM,
      "if (status != MEREAU_OK || (there && has_count(&r->slot))) return status; "
      "for (uint8_t i = 1; i < slots; i++) { struct mru_rkey key;",
      "if (status != MEREAU_OK || (there && has_count(&r->slot))) return status; "
      "slots = 1; for (uint8_t i = 1; i < slots; i++) { struct mru_rkey key;",
      "sub_counts"),
    m("count_not_taken", "own", REDEEM,
      "mru_bag_int_or(&r->slot, MRU_F_USED, 0) + 1);",
      "mru_bag_int_or(&r->slot, MRU_F_USED, 0));", "last_count"),
    m("rearmed_device_takes_another_count", "own", REDEEM,
      "clear_for_rearm(&r->family.record); else if (status == MEREAU_OK) status = "
      "take_count(op, r);",
      "clear_for_rearm(&r->family.record); if (status == MEREAU_OK) status = "
      "take_count(op, r);", "rearm_redeem"),
    m("count_changed_without_condition", "own", "engine/registration_admin.c",
      "mru_bag_set_int(&r->slots[i], MRU_F_QUOTA, 'I', quota + mine); status = "
      "mru_tx_put(&op->tx,",
      "mru_bag_set_int(&r->slots[i], MRU_F_QUOTA, 'I', quota + mine); status = "
      "mru_tx_put_any(&op->tx,", "count_up_down",
      more=[("engine/registration_admin.c",
             "if (status == MEREAU_OK) { mru_tx_witness(&op->tx, &r->key); status = "
             "mru_tx_put(&op->tx, &r->key, &r->record, mru_registration_drop_at("
             "&r->record)); } if (status == MEREAU_OK) mru_registration_show(",
             "if (status == MEREAU_OK) { mru_tx_witness(&op->tx, &r->key); status = "
             "mru_tx_put_any(&op->tx, &r->key, &r->record, mru_registration_drop_at("
             "&r->record)); } if (status == MEREAU_OK) mru_registration_show(")]),
    m("lowered_below_what_is_used", "own", "engine/registration_admin.c",
      "if (count < r->used)", "if (count < 0)", "count_down"),
    m("expired_token_redeems", "own", "model/registration.c",
      "if (now_at >= expires_at)", "if (now_at >= expires_at + 400 * 86400)", "purge"),

    # --- events --------------------------------------------------------------------------
    m("event_not_kept", "own", "engine/op.c", "status = mru_event_keep(op);", "(void)0;",
      "last_count"),
    m("refusal_not_told", "own", "engine/op.c", "mru_event_tell(op, status);",
      "{ if (status == MEREAU_OK) mru_event_tell(op, status); }", "last_count"),
    m("tenant_off_not_read", "own", GATHER,
      "if (mru_bag_int_or(above->tenant, MEREAU_ENABLED, 1) != 0) return MEREAU_OK;",
      "return MEREAU_OK;", "disable_tenant"),

    # --- caches ------------------------------------------------------------------------
    m("cache_without_head", "own", "engine/cache.c",
      "if (one != NULL && one->head == head &&", "(void)head; if (one != NULL &&",
      "one_process"),

    # --- fronts ------------------------------------------------------------------------
    front("group_tells_a_conflict_ok", GROUP,
          "g->members[i]->result = MEREAU_STORE_CONFLICT;",
          "g->members[i]->result = MEREAU_STORE_OK;"),
    front("group_calls_unknown_busy", GROUP,
          "apart ? commit_alone(g, g->members[i]) : result;",
          "apart ? commit_alone(g, g->members[i]) : "
          "result == MEREAU_STORE_UNKNOWN ? MEREAU_STORE_BUSY : result;"),
    front("group_sends_unknown_again", GROUP,
          "result == MEREAU_STORE_CONFLICT || result == MEREAU_STORE_LIMIT;",
          "result != MEREAU_STORE_OK;"),
    front("group_drops_the_second_write", GROUP,
          "if (there || g->n_writes == MEREAU_MAX_WRITES)",
          "if (there) continue; if (g->n_writes == MEREAU_MAX_WRITES)"),
    front("group_joins_other_checks", GROUP, "a->expect == b->expect;", "1;"),
    front("group_drops_checks", GROUP,
          "if (there && same_check(there, &need->writes[i]))",
          "if (need->writes[i].kind == MEREAU_WRITE_CHECK || "
          "(there && same_check(there, &need->writes[i])))"),
    front("group_blames_another_write", GROUP, "*g->members[i]->failed = place;",
          "*g->members[i]->failed = (place + 1) % g->members[i]->need->n_writes;"),
    front("cache_keeps_what_was_written", READ_CACHE,
          "if (a->counts[i] != c->counters[", "if (0 && a->counts[i] != c->counters["),
    front("cache_is_later_than_its_bound", READ_CACHE,
          "now - a->read_at > c->max_stale_ms", "now - a->read_at > 3 * c->max_stale_ms"),
    front("cache_answers_who_decides", READ_CACHE,
          "!(need->flags & MEREAU_READ_STALE_OK) ||", ""),
    front("cache_counts_after_the_read", READ_CACHE,
          "if (result == MEREAU_STORE_OK) { struct answer *a = keep(",
          "for (size_t i = 0; i < need->n_keys; i++) counts[i] = c->counters[counter_of("
          "need, need->keys[i].data, need->keys[i].len)];"
          "if (result == MEREAU_STORE_OK) { struct answer *a = keep("),
    front("cache_hears_of_lost_replies_only", READ_CACHE,
          "if (need->writes[i].kind != MEREAU_WRITE_CHECK)",
          "if (result == MEREAU_STORE_UNKNOWN)"),

    # --- PostgreSQL ----------------------------------------------------------------
    adapter("pg_check_locks_nothing", PG_WIRE, '" AND version=" version " FOR SHARE")',
            '" AND version=" version)', "postgres/test_kit"),
    adapter("pg_update_of_any_version", PG_WIRE, '" AND version=$6 RETURNING',
            '" AND CAST($6 AS bigint) IS NOT NULL RETURNING', "postgres/test_kit"),
    adapter("pg_delete_of_any_version", PG_WIRE, '" AND version=$3 RETURNING',
            '" AND CAST($3 AS bigint) IS NOT NULL RETURNING', "postgres/test_kit"),
    adapter("pg_insert_over_what_is_there", PG_WIRE, '{"mereau_insert", INSERT}',
            '{"mereau_insert", INSERT " ON CONFLICT DO NOTHING"}', "postgres/test_kit"),
    adapter("pg_delete_without_a_place", PG_WRITE,
            "return send_put(commit, MRU_PG_UPSERT, &place, index) && send_delete(",
            "(void)place; return send_delete(",
            "postgres/test_faults"),
    adapter("pg_scan_without_its_first_key", PG_WIRE,
            'COLUMNS " WHERE partition=$1 AND key>=$2 ORDER BY',
            'COLUMNS " WHERE partition=$1 AND key>$2 ORDER BY', "postgres/test_kit"),
    adapter("pg_lost_end_is_busy", PG_WRITE,
            "commit->n_good != commit->n_sent)) commit->result = MEREAU_STORE_UNKNOWN;",
            "commit->n_good != commit->n_sent)) commit->result = MEREAU_STORE_BUSY;",
            "postgres/test_cuts"),
    adapter("pg_goodbye_is_busy", PG_WIRE,
            "lost = {MEREAU_STORE_UNKNOWN, 1, 0}", "lost = {MEREAU_STORE_BUSY, 1, 0}",
            "postgres/test_faults"),
    adapter("pg_statements_not_prepared_again", PG_WRITE, "if (verdict.forgotten)",
            "if (verdict.forgotten > 1)", "postgres/test_open"),

    # --- Redis -----------------------------------------------------------------------
    adapter("redis_versions_not_compared", REDIS_SCRIPT,
            "or sub(there, 1, 9) ~= ARGV[a] then", "or ARGV[a] == nil then",
            "redis/test_kit"),
    adapter("redis_put_over_what_is_there", REDIS_SCRIPT,
            "elseif expect == 45 and there then", "elseif expect == 0 and there then",
            "redis/test_kit"),
    adapter("redis_index_not_written", REDIS_SCRIPT, "if #index > 0 then",
            "if #index > 999 then", "redis/test_kit"),
    adapter("redis_wrong_write_is_blamed", "adapters/redis/write.c",
            "*failed = (size_t)reply->integer - 1;", "*failed = (size_t)reply->integer;",
            "redis/test_kit"),
    adapter("redis_lost_reply_is_busy", REDIS_WIRE,
            "answer.broken = 1; answer.result = MEREAU_STORE_UNKNOWN;",
            "answer.broken = 1; answer.result = MEREAU_STORE_BUSY;", "redis/test_cuts"),
    adapter("redis_unknown_refusal_is_busy", REDIS_WIRE,
            "return table[i].result; return MEREAU_STORE_UNKNOWN;",
            "return table[i].result; return MEREAU_STORE_BUSY;", "redis/test_strange"),
    adapter("redis_server_that_evicts", "adapters/redis/look.c",
            'if (strcmp(value, "noeviction") != 0)', 'if (strcmp(value, "none") == 0)',
            "redis/test_answers"),
]
