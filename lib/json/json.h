/* lib/json/json.h - JSON: a strict scanner for reading (RFC 8259, and stricter),
 * cJSON for writing. The only room that includes cJSON.h. */
#ifndef MRU_JSON_H
#define MRU_JSON_H

#include "../base/base.h"

/* --- reading: slices of a checked text; nothing is copied or allocated --- */

struct mru_json_limits {
    size_t max_len; /* bytes of the document */
    uint32_t max_depth; /* nesting; the top level is 1 */
    /* Members of one object, MEREAU_MAX_MEMBERS at most; elements of one array,
     * MEREAU_MAX_JWKS at most. */
    uint32_t max_members;
};
/* MEREAU_MAX_JSON, MEREAU_MAX_DEPTH, MEREAU_MAX_MEMBERS. */
extern const struct mru_json_limits mru_json_default_limits;

/* A value inside a checked text, quotes and brackets included. */
struct mru_jval {
    const char *p;
    size_t len;
    char kind; /* 'o' 'a' 's' 'n' 't' 'f' '0' (null); 0: none */
};

/* Checks a whole document: UTF-8, no BOM, grammar, depth, sizes, no duplicate
 * members (compared after unescaping), no \u0000, no lone surrogate, nothing
 * after the value. Only then the functions below may be used on it. Returns
 * MEREAU_OK, MEREAU_E_MALFORMED, MEREAU_E_TOO_LONG. No recursion on input. */
mereau_status mru_json_check(struct mru_jval *root, const void *text,
                             size_t len, const struct mru_json_limits *limits,
                             mereau_error *err);

/* A member of the top level, as it was met when the text was checked. */
struct mru_jmember {
    uint32_t hash; /* mru_json_hash of its name */
    uint32_t name; /* offset, behind the opening quote */
    uint32_t value, len; /* offset and length of the value */
    char kind; /* as in struct mru_jval */
};
enum { MRU_JINDEX_MAX = 64 };
/* The members of the top level; the first MRU_JINDEX_MAX of them can be found
 * here, the others by mru_json_member. */
struct mru_jindex {
    size_t n; /* of the document: may be more than MRU_JINDEX_MAX */
    struct mru_jmember member[MRU_JINDEX_MAX];
};
/* As mru_json_check, and in the same pass: fills *index, and texts, which has room
 * for len bytes, so that at the offset behind each opening quote there is that
 * string, unescaped, with a NUL. Either may be NULL. */
mereau_status mru_json_index(struct mru_jval *root, struct mru_jindex *index,
                             uint8_t *texts, const void *text, size_t len,
                             const struct mru_json_limits *limits,
                             mereau_error *err);
uint32_t mru_json_hash(const char *name);

/* Finds a member by its exact name (case matters; escapes in the document are
 * undone). 1 and *value, or 0 (then value->kind is 0). */
int mru_json_member(struct mru_jval *value, const struct mru_jval *object,
                    const char *name);
/* Goes through an object or array: *pos starts at 0. name may be NULL (arrays).
 * 1 while there is one. */
int mru_json_next(const struct mru_jval *container, size_t *pos,
                  struct mru_jval *name, struct mru_jval *value);
/* Elements of an array or members of an object. */
size_t mru_json_count(const struct mru_jval *container);
/* Undoes the escapes of a string: writes at most cap bytes, no NUL; *len is the
 * whole length. 0, or -1 when it is no string or does not fit. out may be NULL
 * with cap 0 to measure (then -1 only when it is no string). */
int mru_json_text(const struct mru_jval *string, char *out, size_t cap,
                  size_t *len);
/* Appends the unescaped string to a buffer; 0, or -1 when it is no string or
 * without memory. */
int mru_json_add_text(struct mru_buf *buf, const struct mru_jval *string);
/* 1 when it is a string equal to text. */
int mru_json_is(const struct mru_jval *string, const char *text, size_t len);
/* Exact: 0 and *out when the number has an integral value that fits int64_t
 * (also 1.0, 15e8), else -1. */
int mru_json_int(const struct mru_jval *number, int64_t *out);
/* The nearest double: 0 and *out, or -1 when it is no number or too large for
 * one. No locale has a say in it. */
int mru_json_number(const struct mru_jval *number, double *out);
/* A NumericDate (RFC 7519 section 2): 0 and *floor_s, the whole second at or
 * below it, and *fraction 1 when something is cut off; -1 when it is no number
 * or its whole part does not fit int64_t. */
int mru_json_seconds(const struct mru_jval *number, int64_t *floor_s,
                     int *fraction);

/* --- writing --- */

/* Appends a finite number in the shortest form that reads back as it (ECMA-262).
 * 0, or -1 when it is not finite or without memory. */
int mru_json_add_number(struct mru_buf *out, double value);
/* Appends the RFC 8785 form of a checked value. MEREAU_OK, _MALFORMED for a number
 * that a double cannot hold, _NOMEM. */
mereau_status mru_json_canonical(struct mru_buf *out,
                                 const struct mru_jval *root,
                                 mereau_error *err);

typedef struct mru_jdoc mru_jdoc; /* a document being built */
mru_jdoc *mru_jdoc_object(void);
mru_jdoc *mru_jdoc_array(void);
void mru_jdoc_free(mru_jdoc *doc); /* strings inside are wiped first */
/* Each returns 0, or -1 without memory (a NULL doc gives -1 too, so that one test
 * at the end is enough; a failed add makes mru_jdoc_print fail, too). Into an
 * array name is NULL. Text that is NULL or not UTF-8 fails as well.
 * mru_jdoc_add_doc takes ownership of child in every case. */
int mru_jdoc_add_text(mru_jdoc *doc, const char *name, const char *text);
int mru_jdoc_add_int(mru_jdoc *doc, const char *name,
                     int64_t value); /* exact */
int mru_jdoc_add_bool(mru_jdoc *doc, const char *name, int value);
int mru_jdoc_add_raw(mru_jdoc *doc, const char *name, const char *json,
                     size_t len); /* a checked JSON text, put in as it is */
int mru_jdoc_add_doc(mru_jdoc *doc, const char *name, mru_jdoc *child);
/* Takes a member out of an object, if it is there. */
void mru_jdoc_drop(mru_jdoc *doc, const char *name);
/* Appends to the list of that name, which is made when it is not there. 0 or -1;
 * -1 as well when the member is something else. */
int mru_jdoc_append_text(mru_jdoc *doc, const char *name, const char *text);
/* 1 when there is a member of that name and it is no list made by the above. */
int mru_jdoc_other_than_list(const mru_jdoc *doc, const char *name);
/* Appends the document without white space; 0 or -1. */
int mru_jdoc_print(struct mru_buf *out, const mru_jdoc *doc);

#endif
