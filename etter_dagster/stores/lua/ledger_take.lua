-- Takes a subject unless a living holder has it. ARGV: now, subject, holder. Gives 1 or 0.

local subject, holder = ARGV[2], ARGV[3]
local taker = call('GET', key('taken', subject))
if taker and lives(taker) then return 0 end
if taker then call('SREM', key('takes', taker), subject) end
lose(call('SMEMBERS', key('subject', subject)), 'its worker was lost')
call('SET', key('taken', subject), holder)
call('SADD', key('takes', holder), subject)
return 1
