-- Money of periods, as hashes. ARGV: now, periods.

local found = {}
for i = 2, #ARGV do table.insert(found, call('HGETALL', key('spent', ARGV[i]))) end
return found
