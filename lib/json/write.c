/* lib/json/write.c - writing of documents, with cJSON.
 *
 * cJSON prints numbers through double, so integers go in as raw text. Its hooks
 * are process-wide and belong to the host: they are never touched. Documents may
 * hold tokens: strings are wiped before they are freed, and printing writes
 * straight into the caller's buffer, so that no copy is left behind. */
#include "json.h"

#include <cjson/cJSON.h>
#include <limits.h>

struct mru_jdoc {
    cJSON *root;
    size_t max_len; /* the printed document is never longer */
    int failed; /* an add failed, so it must not be printed */
};

/* Wipes and frees a tree without recursion: the children of each node are put
 * at the end of the list of its siblings, until all of it is one list. */
static void free_tree(cJSON *root) {
    cJSON *tail = root;
    for (cJSON *node = root; node != NULL; node = node->next) {
        if (node->child != NULL) {
            tail->next = node->child;
            while (tail->next != NULL)
                tail = tail->next;
            node->child = NULL;
        }
        if (node->valuestring != NULL)
            mru_wipe(node->valuestring, strlen(node->valuestring));
    }
    cJSON_Delete(root);
}

static mru_jdoc *make(cJSON *root) {
    mru_jdoc *doc = root != NULL ? mru_alloc(sizeof *doc) : NULL;
    if (doc == NULL) {
        cJSON_Delete(root);
        return NULL;
    }
    doc->root = root;
    doc->max_len = 2;
    return doc;
}

mru_jdoc *mru_jdoc_object(void) { return make(cJSON_CreateObject()); }

mru_jdoc *mru_jdoc_array(void) { return make(cJSON_CreateArray()); }

void mru_jdoc_free(mru_jdoc *doc) {
    if (doc == NULL)
        return;
    free_tree(doc->root);
    mru_free(doc);
}

/* Each byte of a string may become \u00XX. */
static int add_string_size(size_t *sum, const char *text) {
    size_t size;
    if (mru_mul_size(strlen(text), 6, &size) != 0 ||
        mru_add_size(size, 2, &size) != 0)
        return -1;
    return mru_add_size(*sum, size, sum);
}

/* Puts item, which prints as at most size bytes, into doc; owns it in every
 * case. */
static int add(mru_jdoc *doc, const char *name, cJSON *item, size_t size) {
    size_t total;
    cJSON_bool done = 0;
    if (doc == NULL)
        goto failed;
    if (item == NULL || doc->failed ||
        (name == NULL) != cJSON_IsArray(doc->root))
        goto failed;
    /* 2: the comma and the colon. */
    if (mru_add_size(doc->max_len, size, &total) != 0 ||
        mru_add_size(total, 2, &total) != 0 ||
        (name != NULL && add_string_size(&total, name) != 0))
        goto failed;
    done = name != NULL ? cJSON_AddItemToObject(doc->root, name, item)
                        : cJSON_AddItemToArray(doc->root, item);
    if (!done)
        goto failed;
    doc->max_len = total;
    return 0;
failed:
    if (doc != NULL)
        doc->failed = 1;
    free_tree(item);
    return -1;
}

int mru_jdoc_add_text(mru_jdoc *doc, const char *name, const char *text) {
    size_t size = 0;
    cJSON *item = NULL;
    if (doc == NULL)
        return -1;
    if (text != NULL && mru_utf8_valid((const uint8_t *)text, strlen(text)) &&
        add_string_size(&size, text) == 0)
        item = cJSON_CreateString(text);
    return add(doc, name, item, size);
}

int mru_jdoc_add_int(mru_jdoc *doc, const char *name, int64_t value) {
    char text[24];
    if (doc == NULL)
        return -1;
    mru_say(text, sizeof text, "%lld", (long long)value);
    return add(doc, name, cJSON_CreateRaw(text), strlen(text));
}

int mru_jdoc_add_bool(mru_jdoc *doc, const char *name, int value) {
    if (doc == NULL)
        return -1;
    return add(doc, name, cJSON_CreateBool(value != 0), 5);
}

int mru_jdoc_add_raw(mru_jdoc *doc, const char *name, const char *json,
                     size_t len) {
    if (doc == NULL)
        return -1;
    char *text = mru_dup(json, len);
    cJSON *item = text != NULL ? cJSON_CreateRaw(text) : NULL;
    mru_free_wiped(text, text != NULL ? len : 0);
    return add(doc, name, item, len);
}

int mru_jdoc_add_doc(mru_jdoc *doc, const char *name, mru_jdoc *child) {
    cJSON *item = NULL;
    size_t size = 0;
    if (child != NULL) {
        if (!child->failed) {
            item = child->root;
            child->root = NULL;
            size = child->max_len;
        }
        mru_jdoc_free(child);
    }
    return add(doc, name, item, size);
}

/* What was added to max_len for a member, or less when it is a document. */
static size_t counted(const cJSON *item) {
    size_t sum = 2;
    (void)add_string_size(&sum, item->string);
    if (cJSON_IsString(item))
        (void)add_string_size(&sum, item->valuestring);
    else if (cJSON_IsRaw(item))
        sum += strlen(item->valuestring);
    else if (cJSON_IsBool(item))
        sum += 5;
    else if (cJSON_IsArray(item)) {
        sum += 2;
        for (const cJSON *one = item->child; one != NULL; one = one->next)
            if (cJSON_IsString(one) &&
                add_string_size(&sum, one->valuestring) == 0)
                sum++;
    }
    return sum;
}

/* A document that is filled again and again does not ask for more each time. */
void mru_jdoc_drop(mru_jdoc *doc, const char *name) {
    cJSON *item =
        doc != NULL ? cJSON_GetObjectItemCaseSensitive(doc->root, name) : NULL;
    if (item == NULL)
        return;
    doc->max_len -= counted(item);
    free_tree(cJSON_DetachItemViaPointer(doc->root, item));
}

int mru_jdoc_other_than_list(const mru_jdoc *doc, const char *name) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(doc->root, name);
    return item != NULL && !cJSON_IsArray(item);
}

int mru_jdoc_append_text(mru_jdoc *doc, const char *name, const char *text) {
    size_t size = 0, total;
    if (doc == NULL || mru_jdoc_other_than_list(doc, name))
        return -1;
    cJSON *list = cJSON_GetObjectItemCaseSensitive(doc->root, name);
    if (list == NULL) {
        list = cJSON_CreateArray();
        if (add(doc, name, list, 2) != 0)
            return -1;
    }
    cJSON *item = NULL;
    if (mru_utf8_valid((const uint8_t *)text, strlen(text)) &&
        add_string_size(&size, text) == 0 &&
        mru_add_size(doc->max_len, size, &total) == 0 &&
        mru_add_size(total, 1, &total) == 0)
        item = cJSON_CreateString(text);
    if (item == NULL || !cJSON_AddItemToArray(list, item)) {
        free_tree(item);
        doc->failed = 1;
        return -1;
    }
    doc->max_len = total;
    return 0;
}

int mru_jdoc_print(struct mru_buf *out, const mru_jdoc *doc) {
    /* cJSON asks for a few bytes more than it writes. */
    enum { SLACK = 64 };
    size_t size, len = out->len;
    if (doc == NULL || doc->failed ||
        mru_add_size(doc->max_len, SLACK, &size) != 0 || size > INT_MAX)
        return -1;
    char *at = (char *)mru_buf_extend(out, size);
    if (at == NULL)
        return -1;
    int done = cJSON_PrintPreallocated(doc->root, at, (int)size, 0);
    out->len = len + (done ? strlen(at) : 0);
    mru_wipe(out->data + out->len, len + size - out->len);
    return done ? 0 : -1;
}
