#!/bin/sh
# Installs Debian packages without starting a service or making a database cluster, now or at the
# next boot: the local stack runs private instances, and the machine's owner asked for no others.
# Run as root: install-servers.sh PACKAGE...
set -eu

policy=/usr/sbin/policy-rc.d
clusters=/etc/postgresql-common/createcluster.d
ours="$clusters/carillon-local.conf"

restore() {
    if [ -e "$policy.carillon-saved" ]; then
        mv -f "$policy.carillon-saved" "$policy"
    else
        rm -f "$policy"
    fi
    rm -f "$ours"
}
trap restore EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# 101: "action forbidden by policy" (invoke-rc.d's manual page).
# A saved one that is still there is the owner's: an earlier run was killed before it could restore.
if [ ! -e "$policy.carillon-saved" ] && [ -e "$policy" ]; then
    mv -f "$policy" "$policy.carillon-saved"
fi
printf '#!/bin/sh\nexit 101\n' >"$policy"
chmod 755 "$policy"
mkdir -p "$clusters"
printf 'create_main_cluster = false\n' >"$ours"

new=""
for package in "$@"; do
    if ! dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed; then
        new="$new $package"
    fi
done

export DEBIAN_FRONTEND=noninteractive
fetch() {
    # Who else updates holds a lock for which apt does not wait; then the lists are theirs.
    apt-get update -qq || true
    # Another installation (unattended-upgrades, say) may hold the lock for a while.
    apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=120 "$@"
}
# Tried again: a mirror may stumble.
fetch "$@" || { sleep 5 && fetch "$@"; } || { sleep 20 && fetch "$@"; }

# Packages enable their services for the next boot. Those that were there before stay as they were.
# Without systemd nothing reads what they wrote.
if command -v systemctl >/dev/null 2>&1; then
    for package in $new; do
        case "$package" in
        postgresql) units="postgresql.service" ;;
        redis-server) units="redis-server.service" ;;
        rabbitmq-server) units="rabbitmq-server.service epmd.service epmd.socket" ;;
        *) units="" ;;
        esac
        for unit in $units; do
            systemctl disable --quiet "$unit" >/dev/null 2>&1 || true
        done
    done
fi
