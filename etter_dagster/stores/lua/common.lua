-- What the scripts of the queue share: a push and its moves between waiting, held and ended.
-- It is put before each, behind `base.lua` and constants that `redis_scripts.py` makes of the model.
--
--   push:<id>            hash: body as queued, and what changed since
--   request:<id>         what was asked (holds documents)
--   active               hash: role -> its active push
--   waiting:<lane>       sorted by (tag, sequence): the lane's order of start
--   waiting:<lane>:<co>  the same, of one company
--   heads:<lane>         the first of each company, so that a full company is passed over in one step
--   oldest:<lane>        by time queued
--   backlog, in_flight   hash: company -> how many wait, how many are held
--   backlog:<assessor>   the same of what waits for one assessor
--   leases               by end of lease; held:<worker>  its pushes
--   tags:<lane>          hash: company -> its last tag; counters: those of claim_order, seq, token
--   listed[:<co>]        what lists show, by (time queued, id); outbox, ended  by time of end
--   worker, seen         what workers said, and when

local counters, leases = key('counters'), key('leases')
local backlog, in_flight = key('backlog'), key('in_flight')

-- Whoever waits for changes looks again. It may wake for nothing, never miss anything.
local function tell()
  call('PUBLISH', key('changed'), '')
end

local function count(hash, field, by)
  if call('HINCRBY', hash, field, by) <= 0 then call('HDEL', hash, field) end
end

-- Digits of equal length, so that text sorts like the number.
local function digits(number)
  return string.format('%016.0f', number)
end

local function id_of(place)
  return string.sub(place, 18)
end

local FIELDS = {'status', 'lane', 'company', 'role', 'place', 'tag', 'queued_us', 'worker', 'token',
  'attempts', 'lost', 'step', 'started_us', 'assessor'}

-- A push as a table, or nil.
local function read(id)
  local found = call('HMGET', key('push', id), unpack(FIELDS))
  if not found[1] then return nil end
  local push = {id = id}
  for i, name in ipairs(FIELDS) do push[name] = found[i] end
  return push
end

local function write(push, ...)
  call('HSET', key('push', push.id), ...)
  call('HINCRBY', key('push', push.id), 'version', 1)
end

local function may(push, target)
  return MOVES[push.status] ~= nil and MOVES[push.status][target] ~= nil
end

local function enter(push, target, ...)
  if not may(push, target) then error(push.id .. ' cannot move to ' .. target) end
  push.status = target
  write(push, 'status', target, ...)
end

-- The company's first push of a lane stands in `heads`; `before` is the one that stood there.
local function mend_head(lane, company, before)
  local first = call('ZRANGE', key('waiting', lane, company), 0, 0, 'WITHSCORES')
  if first[1] == before then return end
  if before then call('ZREM', key('heads', lane), before) end
  if first[1] then call('ZADD', key('heads', lane), first[2], first[1]) end
end

local function first_of(lane, company)
  return call('ZRANGE', key('waiting', lane, company), 0, 0)[1]
end

-- Puts a push to its place among the waiting.
local function wait(push)
  local lane, company = push.lane, push.company
  local before = first_of(lane, company)
  call('ZADD', key('waiting', lane), push.tag, push.place)
  call('ZADD', key('waiting', lane, company), push.tag, push.place)
  call('ZADD', key('oldest', lane), push.queued_us, push.id)
  count(backlog, company, 1)
  count(key('backlog', push.assessor or ''), company, 1)
  mend_head(lane, company, before)
end

local function unwait(push)
  local lane, company = push.lane, push.company
  local before = first_of(lane, company)
  call('ZREM', key('waiting', lane), push.place)
  call('ZREM', key('waiting', lane, company), push.place)
  call('ZREM', key('oldest', lane), push.id)
  count(backlog, company, -1)
  count(key('backlog', push.assessor or ''), company, -1)
  mend_head(lane, company, before)
end

-- Gives a push to a worker; the token is at least the clock, so it rises also after all was lost.
local function hold(push, worker, lease_us, run_id)
  local token = math.max(int(call('HGET', counters, 'token')) + 1, now)
  call('HSET', counters, 'token', token)
  enter(push, 'processing', 'worker', worker, 'token', token, 'run_id', run_id,
    'attempts', int(push.attempts) + 1, 'started_us', push.started_us or now)
  call('ZADD', leases, now + lease_us, push.id)
  call('SADD', key('held', worker), push.id)
  count(in_flight, push.company, 1)
  return token
end

-- Microseconds for which nothing is handed out; 0 if claims go on.
local function claims_held()
  return math.max(0, int(call('HGET', counters, 'held_until')) - now)
end

local function let_go(push)
  call('ZREM', leases, push.id)
  call('SREM', key('held', push.worker), push.id)
  count(in_flight, push.company, -1)
end

-- The push that is held under this token, or nil.
local function held(id, token)
  local push = read(id)
  if push and push.status == 'processing' and push.token == token then return push end
end

-- Back to its place; the attempt does not count.
local function give_back(push)
  let_go(push)
  local attempts = int(push.attempts) - 1
  enter(push, 'queued', 'attempts', attempts)
  call('HDEL', key('push', push.id), 'step', 'run_id', 'worker')
  if attempts <= 0 then call('HDEL', key('push', push.id), 'started_us') end
  wait(push)
end

-- Terminal: the role is free, and the push waits for the history.
local function finish(push, status, completed_us, ...)
  enter(push, status, 'completed_us', completed_us, ...)
  call('HDEL', key('push', push.id), 'step', 'worker')
  call('HDEL', key('active'), push.role)
  call('ZADD', key('outbox'), completed_us, push.id)
end

local function see(worker, free_places, claiming)
  local silent = call('ZRANGEBYSCORE', key('seen'), '-inf', '(' .. digits(now - WORKER_SEEN_US))
  for _, name in ipairs(silent) do
    call('ZREM', key('seen'), name)
    call('HDEL', key('worker'), name)
  end
  call('ZADD', key('seen'), now, worker)
  call('HSET', key('worker'), worker, free_places .. ':' .. claiming)
end

-- A new push: ARGV[at] and the nine behind it. It waits nowhere yet.
local function insert(at, tag)
  local push = {status = 'queued', tag = tag, id = ARGV[at], role = ARGV[at + 1],
    company = ARGV[at + 2], lane = ARGV[at + 3], queued_us = ARGV[at + 4], assessor = ARGV[at + 8]}
  push.place = digits(call('HINCRBY', counters, 'seq', 1)) .. ':' .. push.id
  call('HSET', key('push', push.id), 'status', 'queued', 'version', 0, 'tag', tag,
    'place', push.place, 'role', push.role, 'company', push.company, 'lane', push.lane,
    'queued_us', push.queued_us, 'name', ARGV[at + 5], 'source', ARGV[at + 6],
    'batch', ARGV[at + 7], 'assessor', push.assessor, 'body', ARGV[at + 9])
  call('SET', key('request', push.id), ARGV[at + 10])
  call('HSET', key('active'), push.role, push.id)
  local listed = digits(push.queued_us) .. push.id
  call('ZADD', key('listed'), 0, listed)
  call('ZADD', key('listed', push.company), 0, listed)
  return push
end

local PER_PUSH = 11
