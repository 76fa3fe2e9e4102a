# shellcheck shell=bash disable=SC2034,SC2154 # variables that other parts set or use
# claim.sh: whose folder --dir is, and the help text of a command. Source it after common.sh.

# claim_dir MARK: makes $DIR ours with the file MARK in it; refuses a folder with somebody else's files and one in use.
# The lock lives as long as any process that inherits it, so it covers the daemons too. Sets DIR_WAS_NEW.
claim_dir() {
  local found
  DIR_WAS_NEW=0
  [[ -e $DIR ]] || DIR_WAS_NEW=1
  mkdir -p -- "$DIR"
  found=$(ls -A -- "$DIR")
  [[ -z $found || $found == log || -e $DIR/$1 ]] || die "$DIR holds files that are not mine; choose an empty --dir"
  exec {CLAIM}>>"$DIR/$1"
  flock --nonblock "$CLAIM" || die "$DIR is in use"
}

# usage FILE: prints FILE's header and ends.
usage() {
  sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$1" >&2
  exit 2
}
