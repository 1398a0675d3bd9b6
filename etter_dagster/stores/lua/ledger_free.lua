-- Lets a subject go; an attempt that was given up before it was sent may still be open.
-- ARGV: now, subject, holder.

local subject, holder = ARGV[2], ARGV[3]
if call('GET', key('taken', subject)) ~= holder then return 0 end
call('DEL', key('taken', subject))
call('SREM', key('takes', holder), subject)
lose(call('SMEMBERS', key('subject', subject)), 'it was given up')
return 1
