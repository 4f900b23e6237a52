# The far end of a session's line: reads one command a line (its arguments on lines of their own), answers with lines and
# a last one "." . Loses its place in the world with its input: what it started is kept by the keeper.
# $1, $2: the texts of the keeper and the watcher; $3 to $5: ticks of the lease, seconds of a tick, seconds between TERM and KILL.
keeper=$1 watcher=$2 lease=$3 tick=$4 grace=$5
umask 077
# The viewer has the language that it had at home.
unset LC_ALL
app=runicorn-desktop
dir=
uid=$(id -u)
say() { printf '%s\n' "$*"; }
have() { command -v "$1" >/dev/null 2>&1; }

hello() {
  set -- $(uname -s -m)
  say "system ${1-} ${2-}"
  libc=$(getconf GNU_LIBC_VERSION 2>/dev/null) || libc=$(ldd --version 2>&1 | head -n 4 | tr '\n' ' ')
  say "libc $libc"
  say "home ${HOME-}"
  if have gzip; then say "gzip"; fi
  say "line $own $own_began"
}

# Was $1 not named yet?
new() {
  case $known in *":$1:"*) return 1 ;; esac
  known=$known:$1:
}

# Where our files may lie, best first.
places() {
  known=
  for place in "${XDG_CACHE_HOME-}" "${HOME:+$HOME/.cache}" "${HOME:+$HOME/.local/state}" "${XDG_RUNTIME_DIR-}"; do
    case $place in /*) new "$place" && say "$place/$app" ;; esac
  done
  for place in "${TMPDIR-}" /tmp /var/tmp /dev/shm; do
    case $place in /*) [ -d "$place" ] && new "$place" && say "$place/$app-$uid" ;; esac
  done
}

# Makes the folder $1, ours and closed to others; what others put there is not used. Why not is in $why.
own() {
  why="it is not ours"
  [ ! -L "$1" ] || return 1
  why=$(LC_ALL=C mkdir -p "$1" 2>&1) || return 1
  set -- "$1" $(LC_ALL=C ls -ldn "$1/" 2>/dev/null)
  why="it is not ours"
  [ "${4-}" = "$uid" ] || return 1
  case $2 in drwx------*) ;; *) chmod 700 "$1" 2>/dev/null || return 1 ;; esac
  why=
}

# Can a file of some length be written to folder $1?
takes() {
  why=$({ printf '%8192s' . >"$1/.try"; } 2>&1) || { rm -f "$1/.try"; return 1; }
  rm -f "$1/.try"
  why=
}

# have SHA256 BYTES: where our viewer lies, if it does.
have_viewer() {
  read -r sha
  read -r bytes
  places | while IFS= read -r place; do
    file=$place/viewers/$sha/runicorn-viewer
    [ -f "$file" ] && [ -x "$file" ] && [ ! -L "$place" ] || continue
    [ "$(wc -c <"$file" | tr -d ' ')" = "$bytes" ] || continue
    set -- $(LC_ALL=C ls -ldn "$place/")
    [ "${3-}" = "$uid" ] || continue
    case $1 in drwx------*) ;; *) continue ;; esac
    touch "$place/viewers/$sha" 2>/dev/null
    say "viewer $file"
    break
  done
}

# Can a program of $2 kilobytes lie in $1 and run there? Why not is in $why.
runs() {
  own "$1" && own "$1/viewers" && takes "$1/viewers" || return 1
  set -- "$1" "$2" $(LC_ALL=C df -Pk "$1" 2>/dev/null | tail -n 1)
  case ${6-} in '' | *[!0-9]*) ;; *)
    if [ "$6" -lt "$2" ]; then why="only $6 KiB are free, $2 are needed"; return 1; fi ;;
  esac
  printf '#!/bin/sh\nexit 0\n' >"$1/viewers/.run-$own"
  chmod 700 "$1/viewers/.run-$own"
  why=$({ "$1/viewers/.run-$own"; } 2>&1) || why="programs may not run there (noexec?): $why"
  rm -f "$1/viewers/.run-$own"
  [ -z "$why" ]
}

# room KILOBYTES AFTER: the first place (after the place AFTER, when that is given) where it can lie, and why those before cannot.
room() {
  read -r kilobytes
  IFS= read -r after
  places | while IFS= read -r place; do
    if [ -n "$after" ]; then
      [ "$after" != "$place" ] || after=
      continue
    fi
    if runs "$place" "$kilobytes"; then say "place $place"; break; fi
    say "not $place: $(say "$why" | tr '\n' ' ')"
    rmdir "$place/viewers" "$place" 2>/dev/null
  done
}

# folder ID OWNER: makes the folder of the session, in the first place that can hold it and whose socket has a short enough name.
folder() {
  read -r id
  read -r owner
  places | while IFS= read -r place; do
    why="its name is too long for a socket"
    [ "$(printf '%s' "$place/sessions/$id/viewer.sock" | wc -c)" -le 100 ] &&
      own "$place" && own "$place/sessions" || { say "not $place: $(say "$why" | tr '\n' ' ')"; continue; }
    if ! why=$(LC_ALL=C mkdir "$place/sessions/$id" 2>&1); then
      if [ -d "$place/sessions/$id" ]; then say taken; break; fi
    elif takes "$place/sessions/$id" && why=$(mkfifo "$place/sessions/$id/up" 2>&1); then
      say "$owner" >"$place/sessions/$id/owner"
      say "dir $place/sessions/$id"
      break
    else
      rm -rf "$place/sessions/${id:?}"
    fi
    say "not $place: $(say "$why" | tr '\n' ' ')"
  done
}

# Starts the keeper for the command line after $1; what the keeper wrote down is known then.
launch() {
  printf '%s %s\n' "$own" "$own_began" >"$dir/line"
  exec 4<>"$dir/up"
  out=$1
  shift
  set -- "$keeper" runicorn-desktop-keeper "$dir" "$lease" "$tick" "$grace" "$out" "$@"
  if have setsid; then
    setsid /bin/sh -c "$@" </dev/null >/dev/null 2>&1 4>&- &
  else
    /bin/sh -c "$@" </dev/null >/dev/null 2>&1 4>&- &
  fi
  while IFS= read -r word <&4; do
    case $word in
    'pid '*) break ;;
    *) early=$word ;;
    esac
  done
  recall
  say "pid $viewer"
}

# The storage root in $root, as a person writes it.
at_home() {
  case $root in '~') root=${HOME-} ;; '~/'*) root=${HOME-}/${root#??} ;; esac
}

# bundled DIR PROGRAM ROOT socket|tcp STATE: our viewer; its ready line, or how it ended.
bundled() {
  IFS= read -r dir
  IFS= read -r program
  IFS= read -r root
  IFS= read -r way
  early=
  at_home
  set -- "$program" --remote-mode --idle-timeout 86400
  if [ -n "$root" ]; then set -- "$@" --storage "$root"; fi
  case $way in tcp) set -- "$@" --port 0 ;; *) set -- "$@" --socket "$dir/viewer.sock" ;; esac
  # A home that cannot be written holds no state of ours either.
  case $dir in "${XDG_CACHE_HOME:-${HOME-}/.cache}"/*) ;; *) set -- "$@" --state-dir "$dir/own" ;; esac
  launch up "$@"
  while :; do
    case $early in
    '{'*) say "ready $early"; break ;;
    'exit '*) say "dead ${early#exit }"; break ;;
    esac
    IFS= read -r early <&4 || break
  done
  exec 4<&-
}

# python DIR PYTHON ROOT PORT IDLE: the viewer of an environment; a port of 0 is any. Signs of life while it starts, then how it went.
python() {
  IFS= read -r dir
  IFS= read -r program
  IFS= read -r root
  read -r port
  read -r idle
  early=
  at_home
  printf '%s %s\n' "$own" "$own_began" >"$dir/line"
  port=$("$program" -I -S -c "$watcher" pick "$port" 2>>"$dir/log") || port=failed
  case $port in '' | *[!0-9]*) say "port ${port:-failed}"; return ;; esac
  say "port $port"
  set -- "$program" -m runicorn viewer
  if [ -n "$root" ]; then set -- "$@" --storage "$root"; fi
  set -- "$@" --host 127.0.0.1 --port "$port" --remote-mode --log-level INFO
  if [ "$idle" = yes ]; then set -- "$@" --idle-timeout 86400; fi
  RUNICORN_REMOTE_SESSION_ID=${dir##*/} RUNICORN_REMOTE_LOG_ROOT=$dir/own
  RUNICORN_REMOTE_LOG_DIR=$dir/own/sessions/${dir##*/} RUNICORN_LOG_FILE=$dir/own/sessions/${dir##*/}/viewer.log
  export RUNICORN_REMOTE_SESSION_ID RUNICORN_REMOTE_LOG_ROOT RUNICORN_REMOTE_LOG_DIR RUNICORN_LOG_FILE
  launch log "$@"
  exec 4<&-
  "$program" -I -S -c "$watcher" watch "$port" "$viewer" "$dir/lease" 2>>"$dir/log" || exit 1
}

# Reads what the keeper wrote down about $dir.
recall() {
  machine= boot= keeper_pid= keeper_began= guard= guard_began= viewer= viewer_began=
  [ -r "$dir/state" ] || return 1
  {
    read -r machine
    read -r boot
    read -r keeper_pid keeper_began
    read -r guard guard_began
    read -r viewer viewer_began
  } <"$dir/state"
  [ -n "$viewer_began" ]
}

# Is the folder $dir the one that was made for $owner?
owned() {
  [ -r "$dir/owner" ] && [ "$(cat "$dir/owner")" = "$owner" ]
}

# How is it? A sign of life for the guard is left on the way.
state() {
  if ! { true >"$dir/lease"; } 2>/dev/null; then
    if [ -d "$dir" ]; then how=unwritable; else how=gone; fi
    return
  fi
  if ! same "$guard" "$guard_began"; then
    how=unguarded
  elif same "$viewer" "$viewer_began"; then
    how="up $viewer"
  else
    how="down $(cat "$dir/exit" 2>/dev/null)"
  fi
}

# attach DIR OWNER: from now on this line is the session's; an older one that still hangs there ends.
attach() {
  IFS= read -r dir
  read -r owner
  if ! owned || ! recall; then
    how=gone
    return
  fi
  { read -r line line_began <"$dir/line"; } 2>/dev/null || line=0
  [ "$line" = "$own" ] || finish "$line" "$line_began" 1 alone
  printf '%s %s\n' "$own" "$own_began" >"$dir/line"
  state
}

# Ends what the folder $dir knows of, and the folder. How the viewer ended is in $ended.
sweep_away() {
  ended=gone
  viewer=
  if recall; then
    # The guard last of the two: without it somebody else's sweep would take the session for one that was left behind.
    finish "$viewer" "$viewer_began" "$grace"
    ended=$how
    finish "$guard" "$guard_began" 1 alone
    finish "$keeper_pid" "$keeper_began" 1 alone
  fi
  { read -r line line_began <"$dir/line"; } 2>/dev/null || line=0
  [ "$line" = "$own" ] || finish "$line" "$line_began" 1 alone
  rm -rf "$dir"
}

# stop ID OWNER PID BEGAN: ends the line PID (0 for none), then what it started.
stop() {
  read -r id
  read -r owner
  read -r line
  read -r line_began
  [ "$line" = "$own" ] || finish "$line" "$line_began" 1 alone
  places | while IFS= read -r place; do
    dir=$place/sessions/${id:?}
    [ -d "$dir" ] && owned || continue
    sweep_away
    say "ended ${viewer:-0} $ended"
    if [ -d "$dir" ]; then say "left $dir"; fi
  done
}

# sweep: ends what crashed apps left behind on this machine and nobody guards any more, and forgets old viewers.
sweep() {
  mine=$dir
  here=$(uname -n)
  { read -r now </proc/sys/kernel/random/boot_id; } 2>/dev/null || now=-
  places | while IFS= read -r place; do
    [ -d "$place" ] && own "$place" || continue
    for dir in "$place"/sessions/????????; do
      [ -d "$dir" ] && [ ! -L "$dir" ] && [ "$dir" != "$mine" ] || continue
      if ! recall; then
        # Just being made, or never finished.
        [ -z "$(find "$dir" -prune -mmin +10 2>/dev/null)" ] || rm -rf "$dir"
        continue
      fi
      [ "$machine" = "$here" ] || continue
      if [ "$boot" != "$now" ]; then
        rm -rf "$dir"
      elif ! same "$guard" "$guard_began"; then
        sweep_away
        say "ended ${viewer:-0} $ended ${dir##*/}"
      fi
    done
    [ -d "$place/viewers" ] || continue
    find "$place/viewers" -name '.part-*' -prune -mmin +60 -exec rm -rf {} + 2>/dev/null
    # Folders are named by their hash; the three used last stay.
    (cd "$place/viewers" && LC_ALL=C ls -t) | grep -x '[0-9a-f]\{64\}' | tail -n +4 | while read -r old; do
      rm -rf "$place/viewers/${old:?}"
    done
  done
}

# log DIR LINES
log() {
  IFS= read -r dir
  read -r lines
  { tail -c 131072 "$dir/log" | tail -n "$lines" | sed 's/^/l /'; } 2>/dev/null
}

# We may be a subshell, and $$ is not our own number then.
{ read -r own rest </proc/self/stat; } 2>/dev/null || own=$$
began "$own"
own_began=$began
hello
say .
while IFS= read -r word; do
  case $word in
  'b '*)
    state
    say "$word $how"
    continue
    ;;
  attach) attach && say "$how" ;;
  have) have_viewer ;;
  room | folder | bundled | python | stop | sweep | log) "$word" ;;
  esac
  say .
done
