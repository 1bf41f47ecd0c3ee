/* lib/json/scan.h - what scanner and reader share: going through the characters
 * of a string. */
#ifndef MRU_JSON_SCAN_H
#define MRU_JSON_SCAN_H

#include <stddef.h>
#include <stdint.h>

/* One character or escape of a checked string, at *p, which is moved behind it:
 * writes its bytes, 1..4, and returns how many. Bytes of UTF-8 come one by
 * one. */
size_t mru_json_unit(const uint8_t **p, uint8_t out[4]);

/* The kind of a value (struct mru_jval) by its first byte. */
char mru_json_kind(uint8_t first);

#endif
