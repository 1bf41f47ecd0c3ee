/* lib/json/document.c - building a document from outside (include/mereau/json.h),
 * and the canonical form of one that is given. */
#include <mereau/json.h>

#include "json.h"

#include <math.h>

struct mereau_json {
    mru_jdoc *doc;
    mereau_error mistake; /* the first one of a setter */
};

mereau_json *mereau_json_new(void) {
    mereau_json *json = mru_alloc(sizeof *json);
    if (!json)
        return NULL;
    mereau_error_init(&json->mistake, sizeof json->mistake);
    json->doc = mru_jdoc_object();
    if (json->doc)
        return json;
    mru_free(json);
    return NULL;
}

void mereau_json_free(mereau_json *json) {
    if (!json)
        return;
    mru_jdoc_free(json->doc);
    mru_free(json);
}

static void mistake(mereau_json *json, mereau_status status, const char *rule,
                    const char *wanted) {
    if (json->mistake.status == MEREAU_OK)
        mru_refuse(&json->mistake, status, rule, NULL, wanted, NULL);
}

static int is_text(const char *text) {
    return text && mru_utf8_valid((const uint8_t *)text, strlen(text));
}

/* A setter's guard: the document takes a member of this name, and the one that it
 * has is gone. */
static int begin(mereau_json *json, const char *name) {
    if (!json || json->mistake.status != MEREAU_OK)
        return 0;
    if (is_text(name)) {
        mru_jdoc_drop(json->doc, name);
        return 1;
    }
    mistake(json, MEREAU_E_ARG, "json.name", "a name in UTF-8");
    return 0;
}

/* What an add answered: all that it could object to has been checked before. */
static void end(mereau_json *json, int ret) {
    if (ret != 0)
        mistake(json, MEREAU_E_NOMEM, NULL, NULL);
}

void mereau_json_set_text(mereau_json *json, const char *name,
                          const char *text) {
    if (!begin(json, name))
        return;
    if (is_text(text))
        end(json, mru_jdoc_add_text(json->doc, name, text));
    else
        mistake(json, MEREAU_E_ARG, "json.value", "a text in UTF-8");
}

void mereau_json_set_int(mereau_json *json, const char *name, int64_t value) {
    if (begin(json, name))
        end(json, mru_jdoc_add_int(json->doc, name, value));
}

void mereau_json_set_number(mereau_json *json, const char *name, double value) {
    struct mru_buf text = {0};
    if (!begin(json, name))
        return;
    if (!isfinite(value)) {
        mistake(json, MEREAU_E_ARG, "json.value", "a finite number");
        return;
    }
    int ret = mru_json_add_number(&text, value);
    if (ret == 0)
        ret = mru_jdoc_add_raw(json->doc, name, (const char *)text.data,
                               text.len);
    end(json, ret);
    mru_buf_free(&text);
}

void mereau_json_set_bool(mereau_json *json, const char *name, int32_t value) {
    if (begin(json, name))
        end(json, mru_jdoc_add_bool(json->doc, name, value != 0));
}

void mereau_json_set_json(mereau_json *doc, const char *name, const char *json,
                          size_t len) {
    mereau_error why = MEREAU_ERROR_INIT;
    struct mru_jval root;
    if (!begin(doc, name))
        return;
    mereau_status status =
        mru_json_check(&root, json, len, &mru_json_default_limits, &why);
    if (status == MEREAU_OK)
        end(doc, mru_jdoc_add_raw(doc->doc, name, root.p, root.len));
    else
        doc->mistake = why;
}

void mereau_json_add_text(mereau_json *json, const char *name,
                          const char *text) {
    if (!json || json->mistake.status != MEREAU_OK)
        return;
    if (!is_text(name))
        mistake(json, MEREAU_E_ARG, "json.name", "a name in UTF-8");
    else if (!is_text(text))
        mistake(json, MEREAU_E_ARG, "json.value", "a text in UTF-8");
    else if (mru_jdoc_other_than_list(json->doc, name))
        mistake(json, MEREAU_E_ARG, "json.value", "a member that is a list");
    else
        end(json, mru_jdoc_append_text(json->doc, name, text));
}

mereau_status mereau_json_print(mereau_bytes *out, const mereau_json *json,
                                mereau_error *err) {
    mereau_status status = mru_bytes_begin(out, err);
    if (status != MEREAU_OK)
        return status;
    if (!json)
        return mru_refuse(err, MEREAU_E_NOMEM, NULL, NULL, NULL, NULL);
    const mereau_error *m = &json->mistake;
    if (m->status != MEREAU_OK)
        return mru_refuse(err, m->status, m->rule, m->source, m->wanted,
                          m->found);
    if (mru_jdoc_print(&out->buf, json->doc) != 0)
        status = mru_refuse(err, MEREAU_E_NOMEM, NULL, NULL, NULL, NULL);
    else if (out->buf.len > MEREAU_MAX_JSON)
        status = mru_refuse(err, MEREAU_E_TOO_LONG, "json.length", NULL,
                            "a document of at most 1048576 bytes", "more");
    if (status != MEREAU_OK)
        mru_buf_reuse(&out->buf);
    return status;
}

mereau_status mereau_json_canonical(mereau_bytes *out, const char *json,
                                    size_t len, mereau_error *err) {
    struct mru_jval root;
    mereau_status status = mru_bytes_begin(out, err);
    if (status == MEREAU_OK)
        status =
            mru_json_check(&root, json, len, &mru_json_default_limits, err);
    if (status == MEREAU_OK)
        status = mru_json_canonical(&out->buf, &root, err);
    if (status != MEREAU_OK && out)
        mru_buf_reuse(&out->buf);
    return status;
}
