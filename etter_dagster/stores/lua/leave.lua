-- A worker is gone: gives back some of what it holds. ARGV: now, worker. Gives how many are left.

local worker = ARGV[2]
call('ZREM', key('seen'), worker)
call('HDEL', key('worker'), worker)
local mine = key('held', worker)
for _, id in ipairs(call('SRANDMEMBER', mine, AT_ONCE)) do
  give_back(read(id))
end
tell()
return call('SCARD', mine)
