# What script/demo and script/test share: words to the person, Debian packages, Python environments.
# shellcheck shell=bash
#
# The script that sources this sets `project`, the checkout; need_python sets `python`.
: "${project:?}"
python=

say() {
    printf '%s\n' "$*"
}

# fail WHAT REMEDY: say what happened and what to do next, and end.
fail() {
    printf '%s: %s\n%s\n' "script/$(basename "$0")" "$1" "What to do: $2" >&2
    exit 1
}

# Where environments are kept: readable by every account when root makes them.
cache_folder() {
    if [ "$(id -u)" = 0 ]; then
        say /var/cache/slurmhub
    else
        say "${XDG_CACHE_HOME:-$HOME/.cache}/slurmhub"
    fi
}

# Where a demo of this account has its state, as slurmhub_deploy/demo/places.py says.
demo_state() {
    if [ "$(id -u)" = 0 ]; then
        say /var/lib/slurmhub-demo
    else
        say "/tmp/slurmhub-demo-$(id -u)"
    fi
}

# The interpreter to build environments with: the distribution's, which every account can run,
# unless SLURMHUB_PYTHON names another. Prints nothing where there is none.
find_python() {
    local candidate
    for candidate in "${SLURMHUB_PYTHON:-/usr/bin/python3}" ${SLURMHUB_PYTHON:-python3}; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
}

# Set `python`; what is missing of it joins the packages to install.
need_python() {
    python=$(find_python)
    if [ -z "$python" ] && [ -n "${SLURMHUB_PYTHON:-}" ]; then
        fail "SLURMHUB_PYTHON is $SLURMHUB_PYTHON, which is not a Python of 3.10 or later." \
            'Unset it, or name one that is.'
    fi
    need_debian python3 'runs all of this' test -n "$python"
    need_debian python3-venv 'makes Python environments' python_makes_environments
}

# need_debian PACKAGE REASON TEST...: remember the package unless the test succeeds.
missing_packages=()
missing_reasons=()
need_debian() {
    local package=$1 reason=$2
    shift 2
    if ! "$@" >/dev/null 2>&1; then
        missing_packages+=("$package")
        missing_reasons+=("$package: $reason")
    fi
}

program() {
    PATH="$PATH:/usr/sbin:/sbin" command -v "$1"
}

node_is_recent() {
    node -e 'process.exit(parseInt(process.versions.node) >= 18 ? 0 : 1)'
}

# Apache with Shibboleth, and what the test identity provider runs on.
need_shibboleth() {
    need_debian apache2 'the web server in front of the hub' program apache2
    need_debian libapache2-mod-shib 'Shibboleth in that web server' \
        test -e /usr/lib/apache2/modules/mod_shib.so
    need_debian shibboleth-sp-utils "Shibboleth's own daemon" program shibd
    need_debian simplesamlphp 'the test identity provider' test -d /usr/share/simplesamlphp
    need_debian libapache2-mod-php 'runs that identity provider' \
        compgen -G '/usr/lib/apache2/modules/libphp*.so'
    need_debian php-cli "signs a test's own responses" program php
    need_debian php-xml 'a part of it' php_has dom
    need_debian php-mbstring 'a part of it' php_has mbstring
    need_debian php-curl 'a part of it' php_has curl
    need_debian php-intl 'a part of it' php_has intl
}

# Whole hosts on this machine.
need_lab() {
    need_debian mmdebstrap 'makes whole hosts, and fetches newer Slurm versions' program mmdebstrap
    need_debian systemd-container 'runs whole hosts on this one' program systemd-nspawn
    need_debian slirp4netns 'lets them fetch packages' program slirp4netns
    need_debian nftables 'their way out' program nft
    need_debian iproute2 'their network' program ip
    need_debian netcat-openbsd 'the way in, for ssh' program nc
    need_debian openssh-client 'how they are reached' program ssh
    need_debian btrfs-progs 'makes a disk on which a quota holds' program mkfs.btrfs
}

php_has() {
    php -r "exit(extension_loaded('$1') ? 0 : 1);"
}

python_makes_environments() {
    "$python" -c 'import ensurepip, venv'
}

# Install what need_debian found missing; says what and why, and asks sudo where it must.
install_missing() {
    if [ ${#missing_packages[@]} = 0 ]; then
        return
    fi
    say 'Debian packages to install:'
    printf '  %s\n' "${missing_reasons[@]}"
    local by_hand="apt-get install --no-install-recommends ${missing_packages[*]}"
    if ! command -v apt-get >/dev/null; then
        fail "This machine has no apt-get, and lacks: ${missing_packages[*]}." \
            'Install these with your own package manager, then start again.'
    fi
    local installer=("$project/script/lib/install-debian-packages" "${missing_packages[@]}")
    if [ "$(id -u)" = 0 ]; then
        "${installer[@]}" || fail 'apt-get could not install them.' "See above; then: $by_hand"
    elif command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
        say 'sudo may ask for your password.'
        sudo "${installer[@]}" || fail 'They could not be installed.' "As root: $by_hand"
    else
        fail "Only root can install them, and sudo is not to be had here." "As root: $by_hand"
    fi
    hash -r
    python=$(find_python)
    if [ -z "$python" ]; then
        fail 'There is no Python of 3.10 or later.' 'Install one, and name it in SLURMHUB_PYTHON.'
    fi
}

# make_environment NAME LOCK: a virtual environment with exactly what the lock holds; prints where.
# It is made once for each lock and interpreter. A root's environment serves everybody.
make_environment() {
    local name=$1 lock=$2 key folder cache
    key=$({ "$python" -c 'import sys; print(sys.version, sys.executable)'; cat "$lock"; } |
        sha256sum | cut -c1-16)
    cache=$(cache_folder)
    for folder in "/var/cache/slurmhub/$name-$key" "$cache/$name-$key"; do
        if [ -e "$folder/complete" ]; then
            say "$folder"
            return
        fi
    done
    (
        umask 022
        mkdir -p "$cache"
        exec 9>"$cache/$name.lock"
        flock 9
        if [ -e "$folder/complete" ]; then
            exit
        fi
        trap 'rm -rf "$folder"' EXIT
        trap 'exit 130' INT TERM HUP
        say "Making the Python environment '$name' in $folder (about half a minute, once)." >&2
        rm -rf "$folder"
        "$python" -m venv "$folder" >&2
        "$folder/bin/python" -m pip install -qq --disable-pip-version-check --no-deps \
            --require-hashes --requirement "$lock" >&2
        touch "$folder/complete"
        trap - EXIT
    ) || fail "The Python environment '$name' could not be made." \
        'Read the messages of pip above: does it reach its package index?'
    say "$folder"
}
