# Runicorn Desktop keeps this viewer while somebody is connected, and ends it and its folder when nobody is.
# $1 folder; $2 ticks without a sign of life after which it ends; $3 seconds of a tick; $4 seconds between TERM and KILL;
# $5 "up" when the viewer says on its output that it is ready; then the viewer's command line.
dir=$1 lease=$2 tick=$3 grace=$4 out=$5
shift 5
trap '' HUP INT
umask 077
cd "${HOME:-/}" 2>/dev/null || cd /

# Read and write: neither side waits for the other, and nobody is told that the other has gone.
exec 3<>"$dir/up" || exit 1
if command -v setsid >/dev/null 2>&1; then set -- setsid "$@"; fi
case $out in
up) "$@" </dev/null >&3 2>>"$dir/log" 3>&- & ;;
*) "$@" </dev/null >>"$dir/log" 2>&1 3>&- & ;;
esac
viewer=$!
began "$viewer" || began=0
viewer_began=$began
began "$$"
keeper_began=$began

# Long logs keep their end.
trim() {
  [ "$(wc -c <"$dir/log")" -gt 4194304 ] || return 0
  tail -c 262144 "$dir/log" >"$dir/log.new" && cat "$dir/log.new" >"$dir/log"
  rm -f "$dir/log.new"
}

# The guard, a process of its own: it and the keeper outlive each other.
(
  trap 'kill "$sleeper" 2>/dev/null; exit 0' TERM
  quiet=0 ticks=0
  while [ "$quiet" -lt "$lease" ]; do
    sleep "$tick" &
    sleeper=$!
    wait "$sleeper"
    [ -d "$dir" ] || break
    quiet=$((quiet + 1)) ticks=$((ticks + 1))
    if [ -e "$dir/lease" ]; then
      rm -f "$dir/lease"
      quiet=0
    fi
    [ "$((ticks % 20))" -ne 0 ] || trim
  done
  trap '' TERM
  { read -r line line_began <"$dir/line"; } 2>/dev/null && finish "$line" "$line_began" 1 alone
  finish "$viewer" "$viewer_began" "$grace"
  finish "$$" "$keeper_began" 1 alone
  rm -rf "$dir"
) 3>&- &
guard=$!
began "$guard" || began=0

{ read -r boot </proc/sys/kernel/random/boot_id; } 2>/dev/null || boot=-
printf '%s\n' "$(uname -n)" "$boot" "$$ $keeper_began" "$guard $began" "$viewer $viewer_began" >"$dir/state.new" &&
  mv -f "$dir/state.new" "$dir/state"
printf 'pid %s %s\n' "$viewer" "$viewer_began" >&3

wait "$viewer"
status=$?
printf '%s\n' "$status" >"$dir/exit"
printf 'exit %s\n' "$status" >&3
exec 3>&-
wait "$guard"
