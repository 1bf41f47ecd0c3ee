/* lib/adapters/redis/script.c - what the server runs, each at one instant.
 *
 * Every key that a script touches is declared in KEYS, and all of them share a
 * hash tag. Nothing is raised: a call that fails gives back the server's own
 * error, before anything was applied.
 *
 * DEL of the key that is never there changes nothing, but is refused where one may
 * not write: on a replica, also one that was the primary until just now, on a
 * primary that lacks its replicas (min-replicas-to-write), after a disk failed.
 * Whatever such a server would answer to a read may be out of date.
 *
 * The digests are those of the texts; tests/redis proves it. A wrong one would
 * cost a round trip for each call, nothing else. */
#include "redis_store.h"

/* KEYS: the one that is never there, records. */
const struct mru_redis_script mru_redis_read = {
    "local r = redis.pcall('DEL', KEYS[1])\n"
    "if type(r) == 'table' then return r end\n"
    "local out = {}\n"
    "for i = 2, #KEYS do\n"
    "  r = redis.pcall('GET', KEYS[i])\n"
    "  if type(r) == 'table' then return r end\n"
    "  out[i - 1] = r\n"
    "end\n"
    "return out\n",
    "b9e4fb4bd89a29192d4618fd40e7704b40b098d8"};

/* KEYS: the one that is never there, index. ARGV: from, to, how many. */
const struct mru_redis_script mru_redis_range = {
    "local r = redis.pcall('DEL', KEYS[1])\n"
    "if type(r) == 'table' then return r end\n"
    "return redis.pcall('ZRANGEBYLEX', KEYS[2], ARGV[1], ARGV[2], 'LIMIT', 0,"
    " ARGV[3])\n",
    "88c911507dde25c365f20540f547b9e0dd4733e2"};

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

/* KEYS: the one that is never there, index, records. ARGV: for each record its
 * key, a letter for the kind of write and what is expected, the new record, when
 * to drop it. Expected are the first nine bytes of a record, '-' for none, or
 * nothing for any. Returns 0, or the number of the write that failed. An error
 * that the server has no word for gets ours, which says that nothing was applied.
 *
 * The order of the writes keeps half of a commit from being applied. All
 * conditions come first. The index is written before the records: an entry
 * too many does no harm, and it is here that a server whose memory is full
 * refuses (later in a script it no longer does), or one whose index is not ours.
 * MSET is all or nothing. DEL has been allowed by then, or there was nothing
 * before it. What comes after it may fail without harm. */
const struct mru_redis_script mru_redis_write = {
    "local function refuse(r)\n"
    "  if string.sub(r.err, 1, 4) ~= 'ERR ' then return r end\n"
    "  return redis.error_reply('MEREAU ' .. string.sub(r.err, 5))\n"
    "end\n"
    "local put, index, drop, gone, left = {}, {}, {}, {}, {}\n"
    "for i = 3, #KEYS do\n"
    "  local a = 4 * (i - 3)\n"
    "  local r = redis.pcall('GETRANGE', KEYS[i], 0, 8)\n"
    "  if type(r) == 'table' then return refuse(r) end\n"
    "  if r ~= '' and (#r < 9 or string.byte(r) ~= 1) then\n"
    "    return redis.error_reply('MEREAU not a record of this format')\n"
    "  end\n"
    "  local kind = string.sub(ARGV[a + 2], 1, 1)\n"
    "  local want = string.sub(ARGV[a + 2], 2)\n"
    "  if want == '-' then want = '' elseif want == '' then want = r end\n"
    "  if want ~= r then return i - 2 end\n"
    "  if kind == 'P' then\n"
    "    put[#put + 1] = KEYS[i]\n"
    "    put[#put + 1] = ARGV[a + 3]\n"
    "    index[#index + 1] = '0'\n"
    "    index[#index + 1] = ARGV[a + 1]\n"
    "    if ARGV[a + 4] ~= '' then\n"
    "      drop[#drop + 1] = {KEYS[i], ARGV[a + 4]}\n"
    "    end\n"
    "  elseif kind == 'D' then\n"
    "    gone[#gone + 1] = KEYS[i]\n"
    "    left[#left + 1] = ARGV[a + 1]\n"
    "  end\n"
    "end\n"
    "local r\n"
    "if #put > 0 then\n"
    "  r = redis.pcall('ZADD', KEYS[2], unpack(index))\n"
    "  if type(r) == 'table' then return refuse(r) end\n"
    "end\n"
    "r = redis.pcall('DEL', KEYS[1])\n"
    "if type(r) == 'table' then return refuse(r) end\n"
    "if #put > 0 then\n"
    "  r = redis.pcall('MSET', unpack(put))\n"
    "  if r.err then return refuse(r) end\n"
    "end\n"
    "for _, d in ipairs(drop) do redis.pcall('PEXPIREAT', d[1], d[2]) end\n"
    "if #gone > 0 then\n"
    "  redis.pcall('DEL', unpack(gone))\n"
    "  redis.pcall('ZREM', KEYS[2], unpack(left))\n"
    "end\n"
    "return 0\n",
    "54e574b96032af19980b186bfa7e963b260f97b8"};
