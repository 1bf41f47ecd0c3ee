/* lib/adapters/redis/script.c - what the server runs, each at one instant.
 *
 * Every key that a script touches is declared in KEYS, and all of them share a
 * hash tag. Nothing is raised: a call that fails gives back the server's own
 * error, before anything was applied.
 *
 * DEL of the key that is never there changes nothing, but is refused where one
 * may not write: on a replica, also one that was the primary until just now, on
 * a primary that lacks its replicas (min-replicas-to-write), after a disk
 * failed. Whatever such a server would answer to a read may be out of date.
 *
 * The digests are those of the texts; tests/redis proves it. A wrong one would
 * cost a round trip for each call, nothing else. */
#include "redis_store.h"

/* The server's error, without the place in the script that Redis before 7 puts
 * in front of some. One without a word of its own gets ours, which says that
 * nothing was applied. */
#define REFUSE                                                                 \
    "local function refuse(r)\n"                                               \
    "  local e = string.gsub(r.err, '^@user_script: %d+: %-?', '')\n"          \
    "  if string.sub(e, 1, 4) == 'ERR ' then\n"                                \
    "    e = 'MEREAU ' .. string.sub(e, 5)\n"                                  \
    "  end\n"                                                                  \
    "  return redis.error_reply(e)\n"                                          \
    "end\n"

/* A value at one of our keys that is not ours. */
#define FOREIGN "redis.error_reply('MEREAU not a record of this format')"

/* MGET answers nothing where there is no record, and where there is something of
 * another type, which must not read as an absence. Refuses what is there of the
 * keys in `none`. */
#define NONE_IS_THERE                                                          \
    "if #none > 0 then\n"                                                      \
    "  local r = call('EXISTS', unpack(none))\n"                               \
    "  if type(r) == 'table' then return refuse(r) end\n"                      \
    "  if r ~= 0 then return " FOREIGN " end\n"                                \
    "end\n"

/* KEYS: the one that is never there, records. Run where a transaction does not
 * answer (read.c). */
const struct mru_redis_script mru_redis_read = {
    REFUSE "local call, none = redis.pcall, {}\n"
           "local r = call('DEL', KEYS[1])\n"
           "if type(r) == 'table' then return refuse(r) end\n"
           "if #KEYS == 1 then return {} end\n"
           "local out = call('MGET', unpack(KEYS, 2))\n"
           "if out.err then return refuse(out) end\n"
           "for i = 2, #KEYS do\n"
           "  if not out[i - 1] then none[#none + 1] = KEYS[i] end\n"
           "end\n" NONE_IS_THERE "return out\n",
    "9700328d71ef6fdcc9bb49ac66ec002e5b9256e1"};

/* KEYS: the one that is never there, index. ARGV: from, to, how many. */
const struct mru_redis_script mru_redis_range = {
    REFUSE
    "local r = redis.pcall('DEL', KEYS[1])\n"
    "if type(r) == 'table' then return refuse(r) end\n"
    "r = redis.pcall('ZRANGEBYLEX', KEYS[2], ARGV[1], ARGV[2], 'LIMIT', 0,"
    " ARGV[3])\n"
    "if r.err then return refuse(r) end\n"
    "return r\n",
    "2bd3f413ca9bd7197f500c9b15fd3772a89f5eff"};

/* KEYS: index, records. ARGV: the records' keys. Takes those out of the index
 * that are gone, which another client cannot bring back meanwhile. */
const struct mru_redis_script mru_redis_tidy = {
    "for i = 2, #KEYS do\n"
    "  local r = redis.pcall('EXISTS', KEYS[i])\n"
    "  if r == 0 then r = redis.pcall('ZREM', KEYS[1], ARGV[i - 1]) end\n"
    "  if type(r) == 'table' then return r end\n"
    "end\n"
    "return 0\n",
    "38c10613d93ca09f31afbc923ecb687886278f19"};

/* KEYS: the one that is never there, index, records. ARGV: two letters for each
 * write: what to do (Put, put and Expire, Delete, Check), and what must be there
 * ('=' a version, '-' nothing, '*' anything or nothing); then for each write,
 * after '=' the first nine bytes of the record, for P and E the new record, for E
 * when to drop it. Returns 0, or the number of the write that failed.
 *
 * The order of the writes keeps half of a commit from being applied. All
 * conditions come first. Then the index of what is new: an entry too many does
 * no harm. MSET is all or nothing. Where there is something to delete as well,
 * DEL is tried before it, on the key that is never there, so that it cannot be
 * refused after it; and the index is written before that, since only the first
 * write of a script is refused when memory is full. What comes last may fail
 * without harm.
 *
 * What costs time is calls, so records are read by one MGET, whole. SET with PXAT
 * in place of MSET and PEXPIREAT would save a twentieth of a redemption's script,
 * and cost what MSET promises. */
const struct mru_redis_script mru_redis_write = {
    REFUSE
    "local call, sub, byte = redis.pcall, string.sub, string.byte\n"
    "local what, stem, a, failed = ARGV[1], #KEYS[2] + 1, 2, nil\n"
    "local put, index, drop, gone, left, none = {}, {}, {}, {}, {}, {}\n"
    "local old = call('MGET', unpack(KEYS, 3))\n"
    "if old.err then return refuse(old) end\n"
    "for i = 1, #old do\n"
    "  local key, there = KEYS[i + 2], old[i]\n"
    "  local kind, expect = byte(what, 2 * i - 1, 2 * i)\n"
    "  if not there then\n"
    "    none[#none + 1] = key\n"
    "  elseif #there < 17 or byte(there) ~= 1 then\n"
    "    return " FOREIGN "\n"
    "  end\n"
    "  if expect == 61 then\n" /* = */
    "    if not there or sub(there, 1, 9) ~= ARGV[a] then\n"
    "      failed = failed or i\n"
    "    end\n"
    "    a = a + 1\n"
    "  elseif expect == 45 and there then\n" /* - */
    "    failed = failed or i\n"
    "  end\n"
    "  if kind == 80 or kind == 69 then\n" /* P, E */
    "    put[#put + 1] = key\n"
    "    put[#put + 1] = ARGV[a]\n"
    "    a = a + 1\n"
    "    if not there then\n"
    "      index[#index + 1] = '0'\n"
    "      index[#index + 1] = sub(key, stem)\n"
    "    end\n"
    "    if kind == 69 then\n"
    "      drop[#drop + 1] = key\n"
    "      drop[#drop + 1] = ARGV[a]\n"
    "      a = a + 1\n"
    "    end\n"
    "  elseif kind == 68 then\n" /* D */
    "    gone[#gone + 1] = key\n"
    "    left[#left + 1] = sub(key, stem)\n"
    "  end\n"
    "end\n" NONE_IS_THERE "if failed then return failed end\n"
    "local r\n"
    "if #put > 0 and #gone > 0 and #index == 0 then\n"
    "  index = {'0', sub(put[1], stem)}\n"
    "end\n"
    "if #index > 0 then\n"
    "  r = call('ZADD', KEYS[2], unpack(index))\n"
    "  if type(r) == 'table' then return refuse(r) end\n"
    "end\n"
    "if #put == 0 or #gone > 0 then\n"
    "  r = call('DEL', KEYS[1])\n"
    "  if type(r) == 'table' then return refuse(r) end\n"
    "end\n"
    "if #put > 0 then\n"
    "  r = call('MSET', unpack(put))\n"
    "  if r.err then return refuse(r) end\n"
    "end\n"
    "for i = 1, #drop, 2 do call('PEXPIREAT', drop[i], drop[i + 1]) end\n"
    "if #gone > 0 then\n"
    "  call('DEL', unpack(gone))\n"
    "  call('ZREM', KEYS[2], unpack(left))\n"
    "end\n"
    "return 0\n",
    "dcac598413db058c3a91be59a21aa79905220653"};
