# What is run in a stage Pod to learn whether anybody uses it: it waits a little longer than a client takes to replace a
# session that broke, and ten minutes for one that says nothing, as lifetime.sh does. The first argument is the nonce.
n=0
while [ "$n" -lt 6 ]; do
	[ "$n" = 0 ] || sleep 5
	n=$((n + 1))
	if [ -n "$(find . -type f -name 'session.*' -mmin -10 2>/dev/null)" ]; then
		echo "BUSY $1"
		exit
	fi
done
echo "IDLE $1"
