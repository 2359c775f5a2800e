//! The X11 ways and the delivery, on a real X server with real windows.

mod clipboard;
mod delivering;
mod fixture;
mod typing;
