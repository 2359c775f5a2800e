//! Finding a GPU through Vulkan.

use burn::tensor::{Device, DeviceKind};
use burn_wgpu::wgpu::{Adapter, Backends, DeviceType, Instance, InstanceDescriptor};

use super::Compute;

/// A GPU, or what pretends to be one.
struct Card {
    name: String,
    kind: DeviceKind,
}

impl Card {
    /// Whether it is the CPU that does the work.
    fn is_software(&self) -> bool {
        self.kind == DeviceKind::Cpu
    }
}

/// Finds the GPU that is asked for, its name and whether it is software, or says why there is none.
///
/// Software Vulkan is slower than the CPU by itself; it is taken only by its name.
pub(super) fn find(compute: &Compute) -> Result<(Device, String, bool), String> {
    let cards = cards();
    let names: Vec<&str> = cards.iter().map(|card| card.name.as_str()).collect();
    let names = if names.is_empty() { "none".into() } else { names.join(", ") };
    let card = match compute {
        Compute::Named(name) => {
            let name = name.to_lowercase();
            cards.into_iter().find(|card| card.name.to_lowercase().contains(&name))
        }
        _ => cards.into_iter().find(|card| !card.is_software()),
    };
    let card = card.ok_or_else(|| format!("no such GPU; Vulkan offers: {names}"))?;
    let is_software = card.is_software();
    Ok((Device::wgpu(card.kind), card.name, is_software))
}

/// Everything Vulkan offers, in its order.
fn cards() -> Vec<Card> {
    let instance = Instance::new(InstanceDescriptor {
        backends: Backends::VULKAN,
        ..InstanceDescriptor::new_without_display_handle()
    });
    let adapters = futures_lite::future::block_on(instance.enumerate_adapters(Backends::VULKAN));
    // Each kind is counted by itself.
    let mut counts = [0; 3];
    let mut next = |kind: usize| {
        counts[kind] += 1;
        counts[kind] - 1
    };
    adapters
        .iter()
        .map(Adapter::get_info)
        .filter_map(|info| {
            let kind = match info.device_type {
                DeviceType::DiscreteGpu => DeviceKind::DiscreteGpu(next(0)),
                DeviceType::IntegratedGpu => DeviceKind::IntegratedGpu(next(1)),
                DeviceType::VirtualGpu => DeviceKind::VirtualGpu(next(2)),
                DeviceType::Cpu => DeviceKind::Cpu,
                DeviceType::Other => return None,
            };
            Some(Card { name: info.name, kind })
        })
        .collect()
}
