-- A holder is gone. ARGV: now, holder.

local holder = ARGV[2]
lose(call('SMEMBERS', key('opened', holder)), 'its worker has ended')
for _, subject in ipairs(call('SMEMBERS', key('takes', holder))) do
  if call('GET', key('taken', subject)) == holder then call('DEL', key('taken', subject)) end
end
call('DEL', key('takes', holder), key('holder', holder))
return 1
