/* lib/adapters/redis/look.c - asks a server what it is like: whether it may be
 * written to, whether it throws records away, and whether OK from it survives a
 * power loss. What it does not say is not claimed. */
#include "redis_store.h"

#include <stdlib.h>

/* --- INFO --- */

/* The value of "name:value" at the begin of a line of INFO; "" when it is not
 * there. */
static void info_value(const redisReply *info, const char *name, char *out,
                       size_t cap) {
    size_t len = strlen(name);
    const char *at = info->str;

    *out = 0;
    while (at != NULL && (strncmp(at, name, len) != 0 || at[len] != ':')) {
        at = strchr(at, '\n');
        if (at != NULL)
            at++;
    }
    if (at != NULL)
        mru_say(out, cap, "%.*s", (int)strcspn(at + len + 1, "\r\n"),
                at + len + 1);
}

static mereau_status ask_info(struct mru_redis_conn *conn, redisReply **info,
                              mereau_error *err) {
    struct mru_redis_answer answer;
    const char *why;

    *info = NULL;
    mru_redis_command(conn, 1);
    mru_redis_arg_text(conn, "INFO");
    if (conn->out.failed)
        return mru_refuse(err, MEREAU_E_NOMEM, "memory", NULL, NULL, NULL);
    answer = mru_redis_ask(conn, 1);
    /* Newer protocols give it as another kind of text. */
    if (answer.result == MEREAU_STORE_OK && answer.reply->str != NULL) {
        *info = answer.reply;
        return MEREAU_OK;
    }
    why = answer.reply == NULL                 ? "no reply"
          : answer.result == MEREAU_STORE_BUSY ? "one that is busy"
                                               : "a refusal";
    freeReplyObject(answer.reply);
    return mru_refuse(err, MEREAU_E_STORE, "redis.info", NULL,
                      "a server that answers INFO", why);
}

/* --- CONFIG GET --- */

static const char *config_value(const redisReply *list, const char *name) {
    for (size_t i = 0; i + 1 < list->elements; i += 2) {
        const redisReply *key = list->element[i], *value = list->element[i + 1];
        if (key->str != NULL && value->str != NULL &&
            strcmp(key->str, name) == 0)
            return value->str;
    }
    return "";
}

/* *durable, and why not. -1: the connection failed. */
static int ask_durable(struct mru_redis_conn *conn,
                       struct mru_redis_facts *facts) {
    struct mru_redis_answer answer;
    const char *why = "appendonly is not yes";
    int result = 0;

    mru_redis_command(conn, 3);
    mru_redis_arg_text(conn, "CONFIG");
    mru_redis_arg_text(conn, "GET");
    mru_redis_arg_text(conn, "*append*");
    answer = mru_redis_ask(conn, 1);
    if (answer.reply == NULL) {
        result = -1;
    } else if (answer.result != MEREAU_STORE_OK ||
               answer.reply->elements == 0) {
        why = "CONFIG GET is not allowed";
    } else if (strcmp(config_value(answer.reply, "appendonly"), "yes") == 0) {
        why = "appendfsync is not always";
        if (strcmp(config_value(answer.reply, "appendfsync"), "always") == 0) {
            why = "no-appendfsync-on-rewrite is not no";
            facts->durable =
                strcmp(config_value(answer.reply, "no-appendfsync-on-rewrite"),
                       "no") == 0;
        }
    }
    freeReplyObject(answer.reply);
    if (!facts->durable)
        mru_say(facts->warning, sizeof facts->warning,
                "Not durable (%s): what was answered may be forgotten when the "
                "server stops.",
                why);
    return result;
}

/* --- both --- */

static void add(char *text, size_t cap, const char *sentence) {
    size_t len = strlen(text);
    mru_say(text + len, cap - len, "%s%s", len > 0 ? " " : "", sentence);
}

static mereau_status judge(const redisReply *info,
                           struct mru_redis_facts *facts, mereau_error *err) {
    char value[40], *end;
    long major, minor;

    info_value(info, "redis_version", value, sizeof value);
    major = strtol(value, &end, 10);
    minor = *end == '.' ? strtol(end + 1, NULL, 10) : 0;
    facts->quiet_exec = major > 6 || (major == 6 && minor >= 2);
    if (major < 5)
        return mru_refuse(err, MEREAU_E_UNSUPPORTED, "redis.version", NULL,
                          "Redis 5 or later, or Valkey", value);
    info_value(info, "role", value, sizeof value);
    if (strcmp(value, "master") != 0)
        return mru_refuse(err, MEREAU_E_STORE, "redis.role", NULL, "a primary",
                          value);
    info_value(info, "maxmemory_policy", value, sizeof value);
    if (strcmp(value, "noeviction") != 0)
        return mru_refuse(
            err, MEREAU_E_UNSUPPORTED, "redis.eviction", NULL,
            "maxmemory-policy noeviction: records must not vanish", value);
    return MEREAU_OK;
}

mereau_status mru_redis_look(struct mru_redis_conn *conn,
                             struct mru_redis_facts *facts, mereau_error *err) {
    redisReply *info = NULL;
    char value[24];
    mereau_status status = ask_info(conn, &info, err);

    if (status == MEREAU_OK)
        status = judge(info, facts, err);
    if (status == MEREAU_OK && ask_durable(conn, facts) != 0)
        status = mru_refuse(err, MEREAU_E_STORE, "redis.info", NULL,
                            "an answer to CONFIG GET", "no reply");
    if (status == MEREAU_OK) {
        info_value(info, "connected_slaves", value, sizeof value);
        if (strtol(value, NULL, 10) > 0)
            add(facts->warning, sizeof facts->warning,
                "It has replicas: a failover to one forgets the commits that "
                "it "
                "had not received, so counts are re-armed and revocations "
                "undone.");
        info_value(info, "cluster_enabled", value, sizeof value);
        if (strcmp(value, "1") == 0)
            add(facts->warning, sizeof facts->warning,
                "It is a node of a cluster: tenants of other nodes' slots are "
                "busy, unless the host's pool chooses by slot.");
    }
    freeReplyObject(info);
    return status;
}
