//! The disk is full, or fails.

use crate::figure;
use crate::process::{Home, have, scaled, skip, stderr};
use crate::scene::Scene;

#[test]
fn a_write_that_fails_is_never_taken_for_done() {
    if !have("strace", "ENOSPC and EIO at every write") {
        return;
    }
    let every = if scaled(0, 1) == 1 { 1 } else { 5 };
    let (mut points, mut seen) = (0, 0);
    for scene in Scene::all() {
        for error in ["ENOSPC", "EIO"] {
            for call in ["pwrite64", "fdatasync", "fsync", "ftruncate"] {
                for from_on in ["", "+"] {
                    for at in 1..=40 {
                        seen += 1;
                        if seen % every != 0 && at > 1 {
                            continue;
                        }
                        let stage = scene.stage();
                        let inject = format!("inject={call}:error={error}:when={at}{from_on}");
                        let output = stage.under_strace(&["-e", &format!("trace={call}"), "-e", &inject]);
                        stage.look(&output);
                        if output.status.success() {
                            break;
                        }
                        points += 1;
                        let code = output.status.code();
                        assert!(matches!(code, Some(74 | 75)), "{call} {error} {code:?} {}", stderr(&output));
                    }
                }
            }
        }
    }
    figure("ENOSPC and EIO at a call and from it on", &format!("{points} points, old state or new"));
    assert!(points >= scaled(20, 60), "only {points} errors met it");
}

/// A file that may not grow is as a full disk: SIGXFSZ must not kill.
#[test]
fn at_the_limit_of_file_sizes_there_is_a_message_and_status_74() {
    let home = Home::new("");
    home.create(&["-q"]);
    let ids = home.run(&["list", "-o", "ids"]);
    // 512-byte blocks of POSIX, KiB of bash: less than the database has.
    let output = home.shell("ulimit -f 8; patctl create");
    assert_eq!(output.status.code(), Some(74), "{output:?}");
    assert!(stderr(&output).contains("patctl: "), "{output:?}");
    assert_eq!(home.count("SELECT count(*) FROM token"), 1);
    let id = String::from_utf8_lossy(&ids.stdout).trim().to_owned();
    assert!(home.run(&["list"]).status.success());
    assert!(home.run(&["revoke", &id]).status.success());
}

/// A real file system that is really full.
#[test]
fn on_a_full_disk_nothing_is_half_done_and_it_goes_on_once_there_is_room() {
    let home = Home::new("");
    let script = r#"
        set -e
        mkdir small && mount -t tmpfs -o size=1m,mode=700 tmpfs small
        export PATCTL_DB=$PWD/small/patctl.db
        patctl create -q first > token
        id=$(patctl list -o ids)
        head -c 2000000 /dev/zero > small/filler 2> /dev/null || true
        made=0
        for i in $(seq 40); do
            status=0; patctl create -q --user u$i > out 2> err || status=$?
            if [ $status = 0 ]; then made=$((made + 1)); continue; fi
            [ $status = 74 ] || { echo "status $status"; cat err; exit 9; }
            # It may have come out before the disk was full; then it is the secret of nothing.
            if [ -s out ]; then
                status=0; patctl verify < out || status=$?
                [ $status != 0 ] || { echo 'a token that create denied'; exit 9; }
            fi
            full=yes
        done
        [ "$full" = yes ] || { echo 'the disk was never full'; exit 9; }
        [ "$(patctl list -o ids | wc -l)" = $((made + 1)) ] || { echo 'torn'; exit 9; }
        rm small/filler
        patctl verify < token
        patctl revoke "$id"
        status=0; patctl verify < token || status=$?
        [ $status = 1 ] || { echo "revoked, and then $status"; exit 9; }
        patctl audit verify > out
        umount small
    "#;
    let output = home
        .command_of("unshare")
        .args(["--mount", "--map-root-user", "bash", "-c", script])
        .output()
        .expect("unshare");
    if stderr(&output).contains("unshare:") || stderr(&output).contains("mount:") {
        assert!(std::env::var_os("CI").is_none(), "a full disk: {output:?}");
        skip(&format!("a full disk: no tmpfs may be mounted here: {}", stderr(&output).trim()));
        return;
    }
    assert!(output.status.success(), "{output:?}");
    figure("disk full (tmpfs)", "status 74, nothing half done, goes on once there is room");
}
