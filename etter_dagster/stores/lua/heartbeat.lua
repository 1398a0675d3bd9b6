-- Renews leases and says who is free. ARGV: now, worker, lease in microseconds, free places,
-- claiming ('1' or '0'), then id and token per push. Gives the ids whose lease was lost.

local lost = {}
for at = 6, #ARGV, 2 do
  if held(ARGV[at], ARGV[at + 1]) then
    call('ZADD', leases, now + tonumber(ARGV[3]), ARGV[at])
  else
    table.insert(lost, ARGV[at])
  end
end
see(ARGV[2], ARGV[4], ARGV[5])
return lost
