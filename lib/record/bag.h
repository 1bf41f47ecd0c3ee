/* lib/record/bag.h - a bag of fields: the one shape of an operation's inputs and
 * results, of events, and of everything stored. A field has one number and type
 * (mereau/field.h; private ones in fields.h), so a stored record, a result and a
 * JSON document name things alike. */
#ifndef MRU_RECORD_BAG_H
#define MRU_RECORD_BAG_H

#include <mereau/field.h>

#include "../base/base.h"

/* Types of items: those of field.h, and 'R' (rows: bags inside a bag). */
struct mru_item {
    int32_t field;
    char type; /* 'T' 'L' 'I' 'B' 'J' 'D' 'R' */
    uint8_t inside; /* 1: data is a part of the bag's block */
    int64_t num; /* 'I' 'B' */
    uint8_t *data; /* 'T' 'J' 'D'; 'L': NUL-terminated texts in a row; 'R':
                      encoded bags, each behind its length. Always followed by a
                      NUL byte. */
    size_t len;
    size_t count; /* 'L' 'R': how many */
};

/* Order is that of setting. A failure (no memory) sticks in `failed`. */
struct mru_bag {
    struct mru_item *items;
    size_t n;
    size_t cap;
    int failed;
    /* Where short data is put until it is full, so that a bag is two allocations
     * and not one for each item. */
    uint8_t *block;
    size_t block_len, block_cap;
};

/* Room for so many items more and so many bytes of their data, in an empty bag. A
 * failure shows in `failed`. */
void mru_bag_reserve(struct mru_bag *bag, size_t items, size_t bytes);
void mru_bag_free(struct mru_bag *bag); /* wipes */
const struct mru_item *mru_bag_find(const struct mru_bag *bag, int32_t field);
int mru_bag_has(const struct mru_bag *bag, int32_t field);

void mru_bag_unset(struct mru_bag *bag, int32_t field);
void mru_bag_set_int(struct mru_bag *bag, int32_t field, char type,
                     int64_t num);
/* Texts and data; text NULL unsets. */
void mru_bag_set_text(struct mru_bag *bag, int32_t field, const char *text);
void mru_bag_set_data(struct mru_bag *bag, int32_t field, char type,
                      const void *data, size_t len);
void mru_bag_add_text(struct mru_bag *bag, int32_t field, const char *text,
                      size_t len);
void mru_bag_add_row(struct mru_bag *bag, int32_t field,
                     const struct mru_bag *row);
/* Copies one field, if it is there; all fields. */
void mru_bag_copy(struct mru_bag *to, const struct mru_bag *from,
                  int32_t field);
void mru_bag_copy_all(struct mru_bag *to, const struct mru_bag *from);

const char *mru_bag_text(const struct mru_bag *bag, int32_t field);
const char *mru_bag_text_at(const struct mru_bag *bag, int32_t field, size_t i);
size_t mru_bag_count(const struct mru_bag *bag, int32_t field);
int mru_bag_lists(const struct mru_bag *bag, int32_t field, const char *text);
/* MEREAU_UNSET, or otherwise, when absent. */
int64_t mru_bag_int(const struct mru_bag *bag, int32_t field);
int64_t mru_bag_int_or(const struct mru_bag *bag, int32_t field,
                       int64_t otherwise);
const uint8_t *mru_bag_data(const struct mru_bag *bag, int32_t field,
                            size_t *len);
/* 1 when it is data of exactly len bytes, and out has them. */
int mru_bag_bytes(const struct mru_bag *bag, int32_t field, uint8_t *out,
                  size_t len);
/* Decodes the i-th row into an empty bag: MEREAU_OK, _E_CORRUPT, _E_NOMEM. */
mereau_status mru_bag_row(const struct mru_bag *bag, int32_t field, size_t i,
                          struct mru_bag *out);

/* --- stored form (encode.c): 'M', format, items, checksum; unknown items are
 * kept --- */
#define MRU_FORMAT 1
int mru_bag_encode(struct mru_buf *out, const struct mru_bag *bag);
/* How many bytes that makes. */
size_t mru_bag_encoded_len(const struct mru_bag *bag);
/* MEREAU_OK, _E_CORRUPT, _E_NOMEM; MEREAU_E_UNSUPPORTED for a newer format. */
mereau_status mru_bag_decode(struct mru_bag *out, const uint8_t *data,
                             size_t len);
/* What the last four bytes are, of all before. */
uint32_t mru_bag_checksum(const uint8_t *data, size_t len);

/* --- JSON (bag_json.c), names of mereau_field_name; private fields and 'D' are
 * left out --- */
/* fields: only these, in this order, 0-terminated; NULL: all. Appends an object;
 * 0 or -1. */
int mru_bag_print(struct mru_buf *out, const struct mru_bag *bag,
                  const int32_t *fields);

#endif
