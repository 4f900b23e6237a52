# Commands that may hang are ended: by plain sh, because `timeout` is not everywhere.
# limit SECONDS COMMAND...: ends it when it takes longer.
limit() {
  seconds=$1
  shift
  "$@" &
  job=$!
  guard "$seconds" "$job"
  wait "$job"
  result=$?
  unguard
  return "$result"
}
guard() {
  (
    trap 'kill "$nap" 2>/dev/null; exit 0' TERM
    sleep "$1" &
    nap=$!
    wait "$nap"
    shift
    kill -9 "$@"
  ) >/dev/null 2>&1 3>&- </dev/null &
  guard=$!
}
unguard() {
  kill "$guard" 2>/dev/null
  wait "$guard" 2>/dev/null
}
