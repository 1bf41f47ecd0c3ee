/* lib/record/bag_json.c - a bag as one JSON object. */
#include "../json/json.h"
#include "bag.h"

static mru_jdoc *list_doc(const struct mru_item *item) {
    mru_jdoc *list = mru_jdoc_array();
    const char *text = (const char *)item->data;
    for (size_t i = 0; i < item->count; i++, text += strlen(text) + 1)
        if (mru_jdoc_add_text(list, NULL, text) != 0) {
            mru_jdoc_free(list);
            return NULL;
        }
    return list;
}

static int add_item(mru_jdoc *doc, const struct mru_item *item) {
    const char *name = mereau_field_name(item->field);
    mru_jdoc *list;
    if (name == NULL)
        return 0;
    switch (item->type) {
    case 'T':
        return mru_jdoc_add_text(doc, name, (const char *)item->data);
    case 'I':
        return mru_jdoc_add_int(doc, name, item->num);
    case 'B':
        return mru_jdoc_add_bool(doc, name, item->num != 0);
    case 'J':
        return mru_jdoc_add_raw(doc, name, (const char *)item->data, item->len);
    case 'L':
        list = list_doc(item);
        return list == NULL ? -1 : mru_jdoc_add_doc(doc, name, list);
    default:
        return 0;
    }
}

int mru_bag_print(struct mru_buf *out, const struct mru_bag *bag,
                  const int32_t *fields) {
    mru_jdoc *doc = mru_jdoc_object();
    int failed = doc == NULL;
    if (fields != NULL) {
        for (; *fields != 0 && !failed; fields++) {
            const struct mru_item *item = mru_bag_find(bag, *fields);
            failed = item != NULL && add_item(doc, item) != 0;
        }
    } else {
        for (size_t i = 0; i < bag->n && !failed; i++)
            failed = add_item(doc, &bag->items[i]) != 0;
    }
    failed = failed || mru_jdoc_print(out, doc) != 0;
    mru_jdoc_free(doc);
    return failed ? -1 : 0;
}
