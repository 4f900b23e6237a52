# Which process is meant: a number and the moment it began. Numbers are used again, pairs are not.

# The moment at which process $1 began, in $began; fails when it does not run (any more).
began() {
  began=
  if [ -e /proc/self/stat ]; then
    { IFS= read -r began <"/proc/$1/stat"; } 2>/dev/null || return 1
    # What follows the name: state, parent, group, …; the 20th is the start.
    set -f
    # shellcheck disable=SC2086
    set -- ${began##*\) }
    set +f
    began=
    case ${1-} in '' | Z | X | x) return 1 ;; esac
    [ "$#" -ge 20 ] || return 1
    shift 19
    began=$1
  else
    began=$(LC_ALL=C ps -o lstart= -p "$1" 2>/dev/null | tr -cd '[:alnum:]')
  fi
  [ -n "$began" ]
}

# Does process $1, begun at $2, run?
same() {
  case ${1-} in '' | *[!0-9]* | 0 | 1) return 1 ;; esac
  began "$1" && [ "$began" = "$2" ]
}

# A tenth of a second, or a whole one where sleep knows no parts.
nap() {
  sleep 0.1 2>/dev/null || { sleep 1; waited=$((waited + 9)); }
  waited=$((waited + 1))
}

# Sends signal $1 to the group $2, or with $3 "alone" (and where there is no such group) to the process.
signal() {
  [ "$3" = alone ] || kill "-$1" "-$2" 2>/dev/null || kill "-$1" "$2" 2>/dev/null
  [ "$3" != alone ] || kill "-$1" "$2" 2>/dev/null
}

# Ends process $1, begun at $2, and its group unless $4 is "alone": TERM, and KILL when it is still there $3 seconds
# later. How is in $how.
finish() {
  how=gone
  same "$1" "$2" || return 0
  how=term
  waited=0
  signal TERM "$1" "${4-}"
  while same "$1" "$2"; do
    if [ "$how" = term ] && [ "$waited" -ge "$(($3 * 10))" ]; then
      how=kill
      signal KILL "$1" "${4-}"
    elif [ "$waited" -ge "$(($3 * 10 + 30))" ]; then
      how=stuck
      return 1
    fi
    nap
  done
}
