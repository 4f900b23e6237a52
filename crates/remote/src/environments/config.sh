# What a viewer of one interpreter would show, as NUL-ended fields:
#   H python home                                      the interpreter, or nothing where there is none
#   R root exists                                      RUNICORN_DIR, and whether it is a folder
#   D root exists                                      the same of the SDK's own default
#   P id version runicorn root exists port             what the interpreter says
# $1 is the Python program, $2 its limit in seconds, $3 the interpreter (empty: the one on the path).
exists() {
  if [ -d "$1" ]; then printf 1; else printf 0; fi
}
python=$3
if [ -z "$python" ]; then
  for program in python3 python; do
    python=$(command -v "$program" 2>/dev/null) || continue
    case $python in /*) break ;; esac
  done
fi
case $python in /*) ;; *) python= ;; esac
[ -f "$python" ] && [ -x "$python" ] || python=
home=${HOME:-$(cd && pwd)}
printf '%s\000' H "$python" "$home"
root=$RUNICORN_DIR ask=config
case $root in
  '') ;;
  '~' | '~'/*) root=$home${root#'~'} ;;
  /*) ;;
  *) root=$home/$root ;;
esac
[ -z "$root" ] || ask=port
printf '%s\000' R "$root" "$(exists "$root")" D "$home/runicorn_data" "$(exists "$home/runicorn_data")"
[ -n "$python" ] || exit 0
cd "$home" 2>/dev/null
{ limit "$2" "$python" -B -c "$1" 0 "$ask" 3>&1 >/dev/null </dev/null; } | cat
