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

/* KEYS: the one that is never there, records. */
const struct mru_redis_script mru_redis_read = {
    REFUSE "local call, out = redis.pcall, {}\n"
           "local r = call('DEL', KEYS[1])\n"
           "if type(r) == 'table' then return refuse(r) end\n"
           "for i = 2, #KEYS do\n"
           "  r = call('GET', KEYS[i])\n"
           "  if type(r) == 'table' then return refuse(r) end\n"
           "  out[i - 1] = r\n"
           "end\n"
           "return out\n",
    "32623a39ce6122cd2eb5d5fa8433c66d9a46fd62"};

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

/* KEYS: the one that is never there, index, records. ARGV: a letter for the
 * kind of each write; then for each what is expected (the first nine bytes of a
 * record, '-' for none, nothing for any) and for a PUT the record and when to
 * drop it. Returns 0, or the number of the write that failed.
 *
 * The order of the writes keeps half of a commit from being applied. All
 * conditions come first. Then the index of what is new: an entry too many does
 * no harm. MSET is all or nothing. Where there is something to delete as well,
 * DEL is tried before it, on the key that is never there, so that it cannot be
 * refused after it; and the index is written before that, since only the first
 * write of a script is refused when memory is full. What comes last may fail
 * without harm. */
const struct mru_redis_script mru_redis_write = {
    REFUSE
    "local call, sub = redis.pcall, string.sub\n"
    "local stem, kinds, a = #KEYS[2] + 1, ARGV[1], 2\n"
    "local put, index, drop, gone, left = {}, {}, {}, {}, {}\n"
    "for i = 3, #KEYS do\n"
    "  local key, kind, want = KEYS[i], sub(kinds, i - 2, i - 2), ARGV[a]\n"
    "  local r = call('GETRANGE', key, 0, 8)\n"
    "  if type(r) == 'table' then return refuse(r) end\n"
    "  if r ~= '' and (#r < 9 or string.byte(r) ~= 1) then\n"
    "    return redis.error_reply('MEREAU not a record of this format')\n"
    "  end\n"
    "  if want == '-' then want = '' elseif want == '' then want = r end\n"
    "  if want ~= r then return i - 2 end\n"
    "  a = a + 1\n"
    "  if kind == 'P' then\n"
    "    put[#put + 1] = key\n"
    "    put[#put + 1] = ARGV[a]\n"
    "    if r == '' then\n"
    "      index[#index + 1] = '0'\n"
    "      index[#index + 1] = sub(key, stem)\n"
    "    end\n"
    "    if ARGV[a + 1] ~= '' then\n"
    "      drop[#drop + 1] = key\n"
    "      drop[#drop + 1] = ARGV[a + 1]\n"
    "    end\n"
    "    a = a + 2\n"
    "  elseif kind == 'D' then\n"
    "    gone[#gone + 1] = key\n"
    "    left[#left + 1] = sub(key, stem)\n"
    "  end\n"
    "end\n"
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
    "9bfb3d3a29d816b8e8beea672a78c26e996fb771"};
