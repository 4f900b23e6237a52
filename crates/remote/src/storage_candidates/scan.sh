# Walks a folder and tells, as NUL-ended fields, the folder itself and then for each folder named `runs`, `archive` or
# `index` in it: R place runs, A place 0, I place 0. Places begin with `./`.
# $1 is the folder, $2 the pattern of what lies deep enough, $3 the limit in seconds.
root=$1
case $root in
  '') root=$HOME ;;
  '~' | '~'/*) root=$HOME${root#'~'} ;;
  /*) ;;
  *) root=$HOME/$root ;;
esac
[ -e "$root" ] || exit 3
[ -d "$root" ] || exit 4
cd -P -- "$root" 2>/dev/null || exit 5
root=$(pwd -P && echo x)
root=${root%?x}
printf '%s\000' "$root"

# Tells a folder of runs. A run is not entered, nor a link; counting ends at 64 or in time.
count_runs='
until=$1 runs=0
count() {
  [ "$runs" -lt 64 ] || return 0
  if [ -f "$1/meta.json" ] || [ -f "$1/status.json" ]; then
    runs=$((runs + 1))
    return 0
  fi
  [ "$2" -gt 0 ] && [ "$(date +%s)" -lt "$until" ] || return 0
  set -- "$1" $(($2 - 1))
  for inner in "$1"/* "$1"/.[!.]*; do
    if [ -d "$inner" ] && [ ! -h "$inner" ]; then count "$inner" "$2"; fi
  done
}
[ -d "$2" ] || exit 0
count "$2" 4
printf "%s\000" R "$2" "$runs"
'
until=$(($(date +%s) + $3))
{
  limit "$3" find . \
    \( -name '.*' ! -name . ! -name .runicorn \
    -o -name __pycache__ -o -name anaconda -o -name anaconda3 -o -name env -o -name miniconda -o -name miniconda3 \
    -o -name miniforge3 -o -name mambaforge -o -name node_modules -o -name site-packages -o -name venv \) -prune \
    -o \( \( -type d -o -type l \) \
    \( -name runs -exec sh -c "$count_runs" sh "$until" {} \; \
    -o -name archive -exec test -d {} \; -exec printf '%s\000' A {} 0 \; \
    -o -name index -exec test -d {} \; -exec printf '%s\000' I {} 0 \; \
    -o -name '*' \) -path "$2" -prune \) 2>/dev/null
} | cat
exit 0
