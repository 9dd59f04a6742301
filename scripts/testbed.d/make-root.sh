#!/bin/sh
# Process 1 of a node while its world is made; then it becomes the node's init. Runs in the node's fresh namespaces, with the machine's
# tree still in view. Arguments: number, state directory of the node, the static program tool, the build's directory, node.
set -eu
# systemd shares all mounts with copies of its namespace: what is mounted and unmounted here would be so on the machine too.
mount --make-rprivate /
number=$1 state=$2 tool=$3 dist=$4 node=$5
echo "node$number" > /proc/sys/kernel/hostname

# Everything mounted for the node goes below $root: the machine's own tree for node 1, an empty one for the others.
if [ "$number" = 1 ]; then
  root=
  # For users who may not go where these are, as below a /root of mode 700.
  if [ -d "$dist" ]; then mount --bind "$dist" "$state/commands/dist"; mount -o remount,bind,ro "$state/commands/dist"; fi
  mount --bind "$node" "$state/commands/node"
  mount -o remount,bind,ro "$state/commands/node"
else
  root=$state/root
  mount -t tmpfs -o mode=755 root "$root"
  # Only what the daemon needs, each at the path it has on the machine, read-only.
  while read -r kind path; do
    case $kind in
      directory) mkdir -p "$root$path" ;;
      link) mkdir -p "$root${path%/*}"; ln -s "$(readlink "$path")" "$root$path" ;;
      tree) mkdir -p "$root$path"; mount --bind "$path" "$root$path"; mount -o remount,bind,ro "$root$path" ;;
      file) mkdir -p "$root${path%/*}"; : > "$root$path"; mount --bind "$path" "$root$path"; mount -o remount,bind,ro "$root$path" ;;
      device) : > "$root$path"; mount --bind "$path" "$root$path" ;;
    esac
  done < "$state/manifest"
  # The commands begin with "#!/usr/bin/env node"; coreutils are not here.
  mkdir -p "$root/usr/bin"
  cp "$tool" "$root/usr/bin/env"
  # Names for numbers, as far as programs of the machine's users show up here.
  mkdir -p "$root/etc"
  cp /etc/passwd /etc/group "$root/etc/"
  printf '127.0.0.1 localhost\n' > "$root/etc/hosts"
  mkdir -p "$root/dev/pts" "$root/dev/shm" "$root/tmp" "$root/root"
  chmod 1777 "$root/tmp" "$root/dev/shm"
  mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
  ln -s pts/ptmx "$root/dev/ptmx"
  ln -s /proc/self/fd "$root/dev/fd"
  mkdir -p "$root/sys"
  mount -t sysfs -o ro sysfs "$root/sys"
fi

mkdir -p "$root/proc"
mount -t proc proc "$root/proc"
for own in etc:755 lib:755; do
  case $own in etc:*) at=/etc/mosrun ;; lib:*) at=/var/lib/mosrun ;; esac
  mkdir -p "$root$at"
  mount --bind "$state/${own%:*}" "$root$at"
done
mkdir -p "$root/run/mosrun"
mount -t tmpfs -o mode=755 run "$root/run/mosrun"

# The control groups: mounted anew, so that (in the node's cgroup namespace) their root is the node's own group.
if [ "$number" = 1 ] && grep -q ' /sys/fs/cgroup ' /proc/mounts; then umount -R -l /sys/fs/cgroup; fi
mount -t tmpfs -o mode=755 cgroup "$root/sys/fs/cgroup"
while read -r at type options; do
  mkdir -p "$root$at"
  mount -t "$type" -o "$options" cgroup "$root$at"
done < "$state/cgroup-mounts"

if [ "$number" = 1 ]; then
  : > "$state/ready"
  exec "$tool" init
fi
cp "$tool" "$root/usr/bin/testbed-init"
mkdir "$root/.machine"
: > "$state/ready"
cd "$root"
pivot_root . .machine
exec /usr/bin/testbed-init init --release /.machine
