//! Which processor the model runs on.

use std::convert::Infallible;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use burn::tensor::Device;

#[cfg(feature = "gpu")]
mod caches;
#[cfg(feature = "gpu")]
mod gpu;

/// Keeps what is tuned and compiled for a GPU in the folder `path`, so that the next start is
/// quick. Says whether it does: only before the first model is loaded, and only where it has been
/// built in (feature `persistence`).
pub fn keep_caches_in(path: &Path) -> bool {
    #[cfg(feature = "gpu")]
    return caches::keep_in(path);
    #[cfg(not(feature = "gpu"))]
    {
        let _ = path;
        false
    }
}

#[cfg(all(test, feature = "gpu"))]
pub(crate) use caches::log_what_is_compiled;

/// Where to compute.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Compute {
    /// On a GPU if there is one, else on the CPU.
    #[default]
    Auto,
    /// On the CPU.
    Cpu,
    /// On the first GPU.
    Gpu,
    /// On the GPU whose name contains this, in any case.
    Named(String),
}

impl FromStr for Compute {
    type Err = Infallible;

    fn from_str(name: &str) -> Result<Self, Infallible> {
        Ok(match name {
            "auto" | "" => Self::Auto,
            "cpu" => Self::Cpu,
            "gpu" => Self::Gpu,
            name => Self::Named(name.into()),
        })
    }
}

impl fmt::Display for Compute {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Cpu => "cpu",
            Self::Gpu => "gpu",
            Self::Named(name) => name,
        })
    }
}

/// A processor that was found for a [`Compute`].
#[derive(Clone, Debug)]
pub(crate) struct Processor {
    pub(crate) device: Device,
    /// `cpu`, or `gpu:NAME`.
    pub(crate) name: String,
    /// Why it is not the GPU that was asked for.
    pub(crate) fallback: Option<String>,
    /// Whether it is a GPU in name only, for which the CPU does the work.
    pub(crate) is_software: bool,
}

impl Processor {
    /// The CPU; every machine has one.
    pub(crate) fn cpu(fallback: Option<String>) -> Self {
        Self { device: Device::flex(), name: "cpu".into(), fallback, is_software: false }
    }

    /// Finds the processor that is asked for, or the CPU where there is none.
    pub(crate) fn find(compute: &Compute) -> Self {
        if *compute == Compute::Cpu {
            return Self::cpu(None);
        }
        match find_gpu(compute) {
            Ok((device, name, is_software)) => {
                Self { device, name: format!("gpu:{name}"), fallback: None, is_software }
            }
            Err(_) if *compute == Compute::Auto => Self::cpu(None),
            Err(reason) => Self::cpu(Some(reason)),
        }
    }

    pub(crate) fn is_gpu(&self) -> bool {
        self.name != "cpu"
    }
}

/// The device, its name, and whether it is software.
#[cfg(feature = "gpu")]
fn find_gpu(compute: &Compute) -> Result<(Device, String, bool), String> {
    gpu::find(compute)
}

#[cfg(not(feature = "gpu"))]
fn find_gpu(_: &Compute) -> Result<(Device, String, bool), String> {
    Err("this program was built without GPU support; build it with the feature `gpu`".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for name in ["auto", "cpu", "gpu", "NVIDIA H100"] {
            assert_eq!(name.parse::<Compute>().unwrap().to_string(), name);
        }
    }

    #[test]
    fn a_gpu_that_is_not_there_gives_the_cpu_and_the_reason() {
        let processor = Processor::find(&Compute::Named("no such card".into()));
        assert_eq!(processor.name, "cpu");
        assert!(processor.fallback.is_some());
    }
}
