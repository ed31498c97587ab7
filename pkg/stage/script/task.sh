# The last part: does what the first argument says.
case $task in
worker | record | remove | clean | inventory | purge) "task_$task" "$@" ;;
*) refuse argument "task $task" ;;
esac
