# What the stage Pod itself runs: it waits for sessions, and ends when there is nothing left to wait for. The first
# argument is the number of seconds after which it ends in any case, before the Pod's deadline makes a failure of it.
#
# The numbers count looks, five seconds apart, and not times: a clock may jump. Each session has a file in the working
# directory, which grows with every word of its client.
trap 'exit 0' TERM INT
looks=0 empty=0 still=0 last=''
while [ "$looks" -lt "$(($1 / 5))" ]; do
	sleep 5 &
	wait "$!"
	looks=$((looks + 1))
	now=$(find . -type f -name 'session.*' -exec wc -c {} + 2>/dev/null)
	if [ -z "$now" ]; then empty=$((empty + 1)); else empty=0; fi
	if [ "$now" = "$last" ]; then still=$((still + 1)); else still=0; fi
	last=$now
	# A client that lives opens its first session at once, replaces one that broke, and says something every ten seconds;
	# for ten minutes it may be that a slow volume holds up the session.
	[ "$empty" -lt 4 ] && [ "$still" -lt 120 ] || exit 0
done
