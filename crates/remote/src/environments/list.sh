# Finds the Python environments of a user, asks each interpreter what it is, and tells all of it as NUL-ended fields:
#   E id kind name prefix physical-prefix python version-by-files runicorn-by-files active    an environment
#   P id version runicorn                                                                      what its interpreter says
#   C name active physical-prefix                                                              a line of conda's own list
# $1 is the Python program, $2 the limit for one interpreter and $3 the limit for all, in seconds.
probe=$1 each=$2 all=$3
began=$(date +%s)
count=0 batch= waiting=0 seen=
cr=$(printf '\r')
nl=$(printf '\nx')
nl=${nl%x}

# physical FOLDER: sets $physical to it without links.
physical() {
  physical=$(cd -P -- "$1" 2>/dev/null && pwd -P && echo x) || physical=
  physical=${physical%?x}
}

python_of() {
  python=
  for python in "$1/bin/python" "$1/bin/python3" ''; do
    [ -f "$python" ] && [ -x "$python" ] && break
  done
  [ -n "$python" ]
}

# What the files of a prefix say, should its interpreter not answer.
read_files() {
  kind=$2 version= runicorn=
  for file in "$1"/conda-meta/python-[0-9]*.json; do
    [ -f "$file" ] || continue
    kind=conda version=${file##*/python-}
    version="Python ${version%%-*}"
  done
  if [ -d "$1/conda-meta" ] && [ "$kind" != mamba ]; then kind=conda; fi
  if [ -f "$1/pyvenv.cfg" ]; then
    lines=0
    while [ "$lines" -lt 30 ] && read -r key equals value rest; do
      lines=$((lines + 1))
      value=${value%"$cr"}
      case $key$equals in
        version= | version_info=)
          case $value in *.final.*) value=${value%%.final.*} ;; esac
          version="Python $value"
          ;;
        uv=) if [ "$kind" = venv ]; then kind=uv; fi ;;
      esac
    done <"$1/pyvenv.cfg"
  fi
  for file in "$1"/lib*/python[0-9]*/site-packages/runicorn-[0-9]*.dist-info; do
    [ -d "$file" ] || continue
    runicorn=${file##*/runicorn-}
    runicorn=${runicorn%.dist-info}
  done
}

# add KIND NAME PREFIX: an environment, once.
add() {
  [ "$count" -lt 200 ] || return 0
  case $3 in /*) ;; *) return 0 ;; esac
  [ -d "$3" ] && python_of "$3" || return 0
  physical "$3"
  case $seen in *"|$physical|"*) return 0 ;; esac
  seen="$seen|$physical|"
  active=0
  for prefix in "$CONDA_PREFIX" "$VIRTUAL_ENV"; do
    if [ "$prefix" = "$3" ]; then active=1; fi
  done
  read_files "$3" "$1"
  tell "$kind" "$2" "$3" "$physical" "$version" "$runicorn" "$active"
}

# tell KIND NAME PREFIX PHYSICAL VERSION RUNICORN ACTIVE, of $python.
tell() {
  count=$((count + 1)) waiting=$((waiting + 1))
  batch="$batch $count"
  eval "python_$count=\$python"
  printf '%s\000' E "$count" "$1" "$2" "$3" "$4" "$python" "$5" "$6" "$7"
  if [ "$waiting" -ge 8 ]; then ask; fi
}

# Asks the interpreters of the batch, all at once.
ask() {
  set -- $batch
  batch= waiting=0 jobs=
  [ $# -gt 0 ] && [ $(($(date +%s) - began)) -lt "$all" ] || return 0
  for id; do
    eval "python=\$python_$id"
    "$python" -B -c "$probe" "$id" list 3>&1 >/dev/null 2>&1 </dev/null &
    jobs="$jobs $!"
  done
  guard "$each" $jobs
  for job in $jobs; do wait "$job"; done
  unguard
}

# name_of PREFIX: sets $name to its folder, or to the folder of its project for `.venv` and the like.
name_of() {
  name=${1##*/}
  case $name in
    .venv | venv | env | .env)
      above=${1%/*}
      if [ "$above" != "$HOME" ]; then name=${above##*/}; fi
      ;;
  esac
}

# Where start files of shells set conda or micromamba up. Paths may have spaces when they stand in quotes.
rc_paths() {
  for file in .bashrc .bash_profile .zshrc .profile .zprofile .zshenv .config/fish/config.fish .cshrc .tcshrc .kshrc; do
    [ -f "$HOME/$file" ] && [ -r "$HOME/$file" ] || continue
    for tail in /bin/conda /etc/profile.d/conda.c\\{0,1\\}sh /condabin; do
      sed -n -e "/^[[:space:]]*#/d" \
        -e "s|.*[\"']\\([/~\$][^\"']*\\)$tail[\"': ].*|\\1|p;t" -e "s|.*[\"']\\([/~\$][^\"']*\\)$tail\$|\\1|p;t" \
        -e "s|.*[[:space:](=]\\([/~\$][^[:space:]\"'()]*\\)$tail.*|\\1|p" "$HOME/$file"
      # A file without a last line end has none here either.
      echo
    done
    sed -n -e "/^[[:space:]]*#/d" -e "s|.*PATH[= ].*[:\"'= ]\\([/~\$][^:\"'= ]*conda[^:\"'/ ]*\\)/bin.*|\\1|p" \
      -e "s|.*MAMBA_ROOT_PREFIX[= ][\"']\\([^\"']*\\)[\"'].*|\\1|p;t" \
      -e "s|.*MAMBA_ROOT_PREFIX[= ]\\([^\"';[:space:]]*\\).*|\\1|p" "$HOME/$file"
    echo
  done 2>/dev/null | sed -n '/./p' | sed -n 1,40p
}
home_expanded() {
  case $1 in
    '~' | '~'/*) expanded=$HOME${1#'~'} ;;
    '$HOME'/*) expanded=$HOME${1#'$HOME'} ;;
    '${HOME}'/*) expanded=$HOME${1#'${HOME}'} ;;
    *) expanded=$1 ;;
  esac
}

# consider_root PREFIX: one more conda installation; the first that has the program tells the list.
consider_root() {
  case $1 in /*) ;; *) return 0 ;; esac
  if [ -f "$1/bin/conda" ] && [ -x "$1/bin/conda" ]; then
    [ -n "$conda" ] || conda=$1/bin/conda
  elif [ ! -d "$1/conda-meta" ] && [ ! -d "$1/envs" ]; then
    return 0
  fi
  root_count=$((root_count + 1))
  eval "root_$root_count=\$1"
}
find_conda() {
  conda= root_count=0
  for program in conda mamba; do
    program=$(command -v "$program" 2>/dev/null) || continue
    case $program in /*/*/*) consider_root "${program%/*/*}" ;; esac
    case $program in */conda) [ -n "$conda" ] || conda=$program ;; esac
    program=$(readlink -f "$program" 2>/dev/null) || continue
    case $program in /*/*/*) consider_root "${program%/*/*}" ;; esac
  done
  case $CONDA_EXE in /*/*/*) consider_root "${CONDA_EXE%/*/*}" ;; esac
  for place in "$HOME" /opt /usr/local; do
    for name in anaconda3 miniconda3 anaconda miniconda miniforge3 mambaforge miniforge conda; do
      consider_root "$place/$name"
    done
  done
  consider_root "$CONDA_PREFIX"
  consider_root "$MAMBA_ROOT_PREFIX"
  consider_root "$HOME/micromamba"
  consider_root "$HOME/.local/share/mamba"
  paths=$(rc_paths)
  # Not by a here-document: many shells keep those in a file, and there may be no room for one.
  set -f
  IFS=$nl
  set -- $paths
  unset IFS
  set +f
  while [ $# -gt 0 ]; do
    home_expanded "$1"
    consider_root "$expanded"
    shift
  done
}

add_conda() {
  number=0
  while [ "$number" -lt "$root_count" ]; do
    number=$((number + 1))
    eval "root=\$root_$number"
    # An environment that is active is no installation: it has no program and stands among others.
    if [ -x "$root/bin/conda" ] || [ -d "$root/envs" ]; then add conda base "$root"; fi
    for place in "$root"/envs/*; do add conda "${place##*/}" "$place"; done
  done
  for place in "$HOME"/.conda/envs/*; do add conda "${place##*/}" "$place"; done
  [ -r "$HOME/.conda/environments.txt" ] || return 0
  lines=0
  while [ "$lines" -lt 500 ] && { IFS= read -r place || [ -n "$place" ]; }; do
    lines=$((lines + 1))
    [ -d "$place/conda-meta" ] || continue
    case ${place%/*} in
      */envs) add conda "${place##*/}" "$place" ;;
      *) add conda "$place" "$place" ;;
    esac
  done <"$HOME/.conda/environments.txt"
}

add_venv() {
  if [ -f "$1/pyvenv.cfg" ]; then
    name_of "$1"
    add venv "$name" "$1"
  fi
}
add_others() {
  add_venv "$VIRTUAL_ENV"
  for place in "$HOME"/venv "$HOME"/.venv "$HOME"/env "$HOME"/.env \
    "${WORKON_HOME:-$HOME/.virtualenvs}"/* "$HOME"/envs/* "$HOME"/.envs/* "$HOME"/venvs/* "$HOME"/.venvs/* "$HOME"/virtualenvs/* \
    "$HOME"/.local/share/virtualenvs/* "$HOME"/.cache/pypoetry/virtualenvs/* \
    "$HOME"/.local/share/uv/tools/runicorn "$HOME"/.local/share/pipx/venvs/runicorn "$HOME"/.local/pipx/venvs/runicorn; do
    add_venv "$place"
  done
  for place in "${PYENV_ROOT:-$HOME/.pyenv}"/versions/*; do add pyenv "${place##*/}" "$place"; done
  for place in "${UV_PYTHON_INSTALL_DIR:-$HOME/.local/share/uv/python}"/*; do
    [ -h "$place" ] || add uv "${place##*/}" "$place"
  done
  for place in "$HOME"/*/pyvenv.cfg "$HOME"/*/.venv/pyvenv.cfg "$HOME"/*/venv/pyvenv.cfg "$HOME"/*/env/pyvenv.cfg; do
    add_venv "${place%/pyvenv.cfg}"
  done
}

add_system() {
  for program in python3 python; do
    python=$(command -v "$program" 2>/dev/null) || continue
    case $python in
      /*)
        tell system system '' '' '' '' 1
        return 0
        ;;
    esac
  done
}

# Conda's own list, from stdin: what is not known yet is added, and its names and its order count.
take_list() {
  lines=0
  while [ "$lines" -lt 500 ] && IFS= read -r line; do
    lines=$((lines + 1))
    case $line in
      '#'* | '') continue ;;
      */*) ;;
      *) continue ;;
    esac
    place=/${line#*/}
    set -f
    set -- ${line%%/*}
    set +f
    name= active=0
    case $1 in '*' | '+') ;; *) name=$1 ;; esac
    case " $* " in *' * '*) active=1 ;; esac
    physical "$place"
    [ -n "$physical" ] || continue
    printf '%s\000' C "$name" "$active" "$physical"
    add conda "${name:-$place}" "$place"
  done
}

list() {
  if [ -n "$conda" ]; then limit 10 "$conda" info --envs </dev/null 2>/dev/null; fi
}
collect() {
  add_conda
  add_others
  take_list
  add_system
  ask
}
find_conda
list | collect | cat
