/* lib/engine/set.c - setting the fields of an operation. Nothing fails here: the
 * first mistake is kept for run. */
#include "../json/json.h"
#include "op.h"

/* Whether the op may be set now; a finished one forgets its results. */
static int may_set(mereau_op *op) {
    if (op == NULL)
        return 0;
    if (op->state == MRU_OP_RUNNING) {
        mru_op_mistake(op, MEREAU_E_STATE, "op.set",
                       "setting before the first step", 0);
        return 0;
    }
    if (op->state == MRU_OP_FAILED) {
        mru_op_reset(op);
        op->state = MRU_OP_NEW;
    }
    return 1;
}

static int32_t type_of(mereau_op *op, int32_t field, const char *types) {
    int32_t type = mereau_field_type(field);
    if (type != 0 && strchr(types, (char)type) != NULL)
        return type;
    mru_op_mistake(op, MEREAU_E_FIELD, "op.field",
                   type == 0 ? "a field of mereau/field.h"
                             : "a value of the field's type",
                   field);
    return 0;
}

static int is_token(int32_t field) {
    return (field >= MEREAU_CLIENT_SECRET && field <= MEREAU_TOKEN);
}

static size_t most_bytes(const mereau_op *op, int32_t field, int32_t type) {
    const mereau_ctx *ctx = op->tenant->ctx;
    if (is_token(field))
        return (size_t)ctx->max_token;
    if (type == 'J' || field == MEREAU_PEM)
        return (size_t)(ctx->max_json < 32768 ? ctx->max_json : 32768);
    if (field == MEREAU_SCOPE)
        return 4096;
    return (size_t)ctx->max_text;
}

/* Texts are UTF-8 without control characters, JSON is well-formed. */
static int check_value(mereau_op *op, int32_t field, int32_t type,
                       const void *data, size_t len) {
    if (len > most_bytes(op, field, type)) {
        mru_op_mistake(op, MEREAU_E_TOO_LONG, "op.length",
                       "at most MEREAU_MAX_ bytes", field);
        return 0;
    }
    if (type != 'D' && !mru_text_valid(data, len)) {
        mru_op_mistake(op, MEREAU_E_MALFORMED, "op.text",
                       "UTF-8 without control characters", field);
        return 0;
    }
    if (type == 'J') {
        struct mru_jval root;
        if (mru_json_check(&root, data, len, &mru_json_default_limits, NULL) !=
            MEREAU_OK) {
            mru_op_mistake(op, MEREAU_E_MALFORMED, "op.json", "JSON", field);
            return 0;
        }
    }
    return 1;
}

static void set_value(mereau_op *op, int32_t field, int32_t type,
                      const void *data, size_t len) {
    if (!check_value(op, field, type, data, len))
        return;
    if (type == 'L') {
        if (mru_bag_count(&op->in, field) >=
            (size_t)op->tenant->ctx->max_list) {
            mru_op_mistake(op, MEREAU_E_TOO_LONG, "op.list",
                           "at most MEREAU_MAX_LIST values", field);
            return;
        }
        mru_bag_add_text(&op->in, field, data, len);
    } else {
        mru_bag_set_data(&op->in, field, (char)type, data, len);
    }
    if (op->in.failed)
        mru_op_mistake(op, MEREAU_E_NOMEM, "op", NULL, field);
}

void mereau_op_set_text(mereau_op *op, int32_t field, const char *text) {
    int32_t type;
    if (!may_set(op) || (type = type_of(op, field, "TJL")) == 0)
        return;
    mru_bag_unset(&op->in, field);
    if (text != NULL)
        set_value(op, field, type, text, strlen(text));
}

void mereau_op_set_bytes(mereau_op *op, int32_t field, const void *data,
                         size_t len) {
    int32_t type;
    if (!may_set(op) || (type = type_of(op, field, "TJLD")) == 0)
        return;
    mru_bag_unset(&op->in, field);
    if (data != NULL)
        set_value(op, field, type, data, len);
}

void mereau_op_add_text(mereau_op *op, int32_t field, const char *text) {
    if (!may_set(op) || type_of(op, field, "L") == 0)
        return;
    if (text != NULL)
        set_value(op, field, 'L', text, strlen(text));
}

void mereau_op_set_int(mereau_op *op, int32_t field, int64_t value) {
    int32_t type;
    if (!may_set(op) || (type = type_of(op, field, "IB")) == 0)
        return;
    if (value == MEREAU_UNSET) {
        mru_bag_unset(&op->in, field);
        return;
    }
    if (type == 'B' && value != 0 && value != 1) {
        mru_op_mistake(op, MEREAU_E_ARG, "op.bool", "0 or 1", field);
        return;
    }
    mru_bag_set_int(&op->in, field, (char)type, value);
    if (op->in.failed)
        mru_op_mistake(op, MEREAU_E_NOMEM, "op", NULL, field);
}

/* --- from JSON --- */

static void set_json_text(mereau_op *op, int32_t field, int32_t type,
                          const struct mru_jval *value) {
    struct mru_buf text = {0};
    if (mru_json_add_text(&text, value) != 0)
        mru_op_mistake(op, value->kind == 's' ? MEREAU_E_NOMEM : MEREAU_E_FIELD,
                       "op.json", "a text", field);
    else
        set_value(op, field, type,
                  text.data == NULL ? (const void *)"" : text.data, text.len);
    mru_buf_free(&text);
}

static void set_json_int(mereau_op *op, int32_t field, int32_t type,
                         const struct mru_jval *value) {
    int64_t number = 0;
    if (type == 'B' && (value->kind == 't' || value->kind == 'f'))
        mereau_op_set_int(op, field, value->kind == 't');
    else if (type == 'I' && mru_json_int(value, &number) == 0 &&
             number != MEREAU_UNSET)
        mereau_op_set_int(op, field, number);
    else
        mru_op_mistake(op, MEREAU_E_FIELD, "op.json",
                       type == 'B' ? "true or false" : "a whole number", field);
}

static void set_json_list(mereau_op *op, int32_t field,
                          const struct mru_jval *value) {
    struct mru_jval one;
    size_t at = 0;
    if (value->kind != 'a') {
        set_json_text(op, field, 'L', value);
        return;
    }
    while (mru_json_next(value, &at, NULL, &one))
        set_json_text(op, field, 'L', &one);
}

static void set_member(mereau_op *op, const struct mru_jval *name,
                       const struct mru_jval *value) {
    char word[64];
    size_t len;
    int32_t field = 0;
    if (mru_json_text(name, word, sizeof word - 1, &len) == 0) {
        word[len] = '\0';
        field = mereau_field_find(word);
    }
    if (field == 0) {
        mru_op_mistake(op, MEREAU_E_FIELD, "op.json",
                       "members named like fields", 0);
        return;
    }
    mru_bag_unset(&op->in, field);
    if (value->kind == '0')
        return;
    switch (mereau_field_type(field)) {
    case 'I':
    case 'B':
        set_json_int(op, field, mereau_field_type(field), value);
        break;
    case 'L':
        set_json_list(op, field, value);
        break;
    case 'J':
        set_value(op, field, 'J', value->p, value->len);
        break;
    case 'T':
        set_json_text(op, field, 'T', value);
        break;
    default:
        mru_op_mistake(op, MEREAU_E_FIELD, "op.json",
                       "bytes are set with mereau_op_set_bytes()", field);
    }
}

void mereau_op_set_json(mereau_op *op, const char *json, size_t len) {
    struct mru_jval root, name, value;
    struct mru_json_limits limits = mru_json_default_limits;
    size_t at = 0;
    if (!may_set(op))
        return;
    limits.max_len = (size_t)op->tenant->ctx->max_json;
    if (json == NULL ||
        mru_json_check(&root, json, len, &limits, NULL) != MEREAU_OK ||
        root.kind != 'o') {
        mru_op_mistake(op, MEREAU_E_MALFORMED, "op.json", "a JSON object", 0);
        return;
    }
    while (mru_json_next(&root, &at, &name, &value))
        set_member(op, &name, &value);
}
