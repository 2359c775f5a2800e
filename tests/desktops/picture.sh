#!/bin/sh
# picture.sh NAME: what GNOME shows, into /opt/out/NAME.png.
exec gdbus call --session --dest org.gnome.Shell.Screenshot --object-path /org/gnome/Shell/Screenshot \
    --method org.gnome.Shell.Screenshot.Screenshot false false "/opt/out/$1.png"
