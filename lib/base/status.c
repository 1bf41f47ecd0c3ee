/* lib/base/status.c - what a status is called and what the caller may be told.
 * The table is in status.h. */
#include "base.h"
#include "status.h"

struct status_facts {
    mereau_status status;
    const char *name;
    const char *oauth;
    int32_t http;
    int32_t can_retry;
    const char *text;
};

static const struct status_facts table[] = {
    {MEREAU_OK, "MEREAU_OK", "", 200, 0, "done"},
#define X(name, oauth, http, can_retry, text)                                  \
    {MEREAU_E_##name, "MEREAU_E_" #name, oauth, http, can_retry, text},
    MRU_STATUSES(X)
#undef X
};

/* A status of a later release is treated as its class, anything else as a fault
 * of ours. */
static const struct status_facts classes[] = {
    {-100, "MEREAU_E_1XX", "server_error", 500, 0,
     "the program made a mistake"},
    {-200, "MEREAU_E_2XX", "invalid_request", 400, 0,
     "input cannot be read or does not prove itself"},
    {-300, "MEREAU_E_3XX", "invalid_grant", 400, 0, "refused by a rule"},
    {-400, "MEREAU_E_4XX", "server_error", 503, 0, "the host's side failed"},
    {-500, "MEREAU_E_5XX", "server_error", 500, 0,
     "the library or the machine failed"}};

static const struct status_facts *facts(mereau_status status) {
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].status == status)
            return &table[i];
    if (status <= -100 && status > -600)
        return &classes[-(status / 100) - 1];
    return &classes[sizeof classes / sizeof *classes - 1];
}

const char *mereau_status_name(mereau_status status) {
    return facts(status)->name;
}

const char *mereau_status_text(mereau_status status) {
    return facts(status)->text;
}

const char *mereau_status_oauth(mereau_status status) {
    return facts(status)->oauth;
}

int32_t mereau_status_http(mereau_status status) { return facts(status)->http; }

int32_t mereau_status_can_retry(mereau_status status) {
    return facts(status)->can_retry;
}
