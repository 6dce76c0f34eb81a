# shellcheck shell=sh
# What Ponte's scripts share; sourced, not run. The sourcing script has gone to the repository's folder first.

say() { printf '%s\n' "$*"; }
complain() { printf '%s\n' "$*" >&2; }

# Whether what a Debian package would bring is there, wherever it came from.
has() {
    case "$1" in
    libcurl4-openssl-dev) pkg-config --exists libcurl 2>/dev/null ;;
    libsqlite3-dev) pkg-config --exists sqlite3 2>/dev/null ;;
    python3-venv) python3 -c 'import ensurepip, venv' 2>/dev/null ;;
    ca-certificates) [ -e /etc/ssl/certs/ca-certificates.crt ] ;;
    *) command -v "$1" >/dev/null 2>&1 ;;
    esac
}

# Installs the Debian packages whose content is not there; as root, or through sudo.
install_missing() {
    missing=
    for package in "$@"; do
        has "$package" || missing="$missing $package"
    done
    [ -z "$missing" ] && return 0
    as_root=
    if [ "$(id -u)" != 0 ]; then as_root=sudo; fi
    if ! command -v apt-get >/dev/null 2>&1 || { [ -n "$as_root" ] && ! command -v sudo >/dev/null 2>&1; }; then
        complain "Please install, then try again:$missing (Debian's names)"
        return 1
    fi
    say "Installing$missing"
    $as_root apt-get update -qq
    # shellcheck disable=SC2086
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
    for package in $missing; do
        has "$package" || {
            complain "$package was installed, but does not work here."
            return 1
        }
    done
}

# What building Ponte takes, and whatever else is named.
need_build_tools() {
    command -v swift >/dev/null 2>&1 || {
        complain "Ponte is built with Swift 6.3 or newer, and there is no swift command: see https://www.swift.org/install"
        return 1
    }
    install_missing libcurl4-openssl-dev libsqlite3-dev pkg-config "$@"
}
