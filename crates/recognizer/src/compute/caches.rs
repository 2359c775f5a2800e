//! What a GPU has learned, on disk.
//!
//! CubeCL keeps one database file: which of several kernels was the fastest for a shape, and
//! kernels compiled to SPIR-V. Kernels in WGSL are compiled anew in each process; the driver keeps
//! what it makes of them by itself (Mesa: `$XDG_CACHE_HOME/mesa_shader_cache`).

use std::path::Path;

use cubecl::config::cache::CacheConfig;
use cubecl::config::{CubeClRuntimeConfig, RuntimeConfig};

/// As [`super::keep_caches_in`].
pub(super) fn keep_in(path: &Path) -> bool {
    let mut config = CubeClRuntimeConfig::default().override_from_env();
    config.environment.path = CacheConfig::Directory(path.into());
    #[cfg(feature = "persistence")]
    {
        config.compilation.cache = true;
    }
    // Its own way would be a file in the working directory, or else a folder named `target`.
    CubeClRuntimeConfig::try_set(config) && cfg!(feature = "persistence")
}

/// Logs each kernel that is compiled and each shape that is tuned for, to see in a test that there
/// is none.
#[cfg(test)]
pub(crate) fn log_what_is_compiled(file: &Path) -> bool {
    use cubecl::config::{autotune::AutotuneLogLevel, compilation::CompilationLogLevel};

    let mut config = CubeClRuntimeConfig::default();
    config.compilation.logger.file = Some(file.into());
    config.compilation.logger.level = CompilationLogLevel::Basic;
    config.autotune.logger.file = Some(file.into());
    config.autotune.logger.level = AutotuneLogLevel::Minimal;
    CubeClRuntimeConfig::try_set(config)
}
