# Takes our viewer from stdin: $1 place, $2 its SHA-256, $3 gzip or plain, $4 a name of its own while it is not whole, $5 POSIX checksum.
umask 077
part=$1/viewers/.part-$4
say() { printf '%s\n' "$*"; }
give_up() {
  say "$1 $(tail -c 400 "$part.err" 2>/dev/null | tr '\n' ' ')"
  exit 1
}
trap 'rm -f "$part" "$part.err"' EXIT
trap 'exit 1' HUP INT TERM
trap '' PIPE
say go
case $3 in
gzip) gzip -dc >"$part" 2>"$part.err" || give_up unwritten ;;
*) cat >"$part" 2>"$part.err" || give_up unwritten ;;
esac
if command -v sha256sum >/dev/null 2>&1; then
  found=$(sha256sum <"$part")
elif command -v shasum >/dev/null 2>&1; then
  found=$(shasum -a 256 <"$part")
elif command -v openssl >/dev/null 2>&1; then
  found=$(openssl dgst -sha256 <"$part")
  found=${found##* }
else
  found=$(cksum <"$part")
  [ "$found" = "$5" ] && found=$2
fi
[ "${found%% *}" = "$2" ] || give_up "damaged ${found%% *}"
chmod 700 "$part" 2>"$part.err" || give_up unwritten
version=$("$part" --version 2>"$part.err" </dev/null) || give_up "norun $?"
mkdir -p "$1/viewers/$2" 2>"$part.err" && mv -f "$part" "$1/viewers/$2/runicorn-viewer" 2>"$part.err" || give_up unwritten
say "placed $version"
