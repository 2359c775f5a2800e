mod fixture;

use std::fs;

use ::safetensors::tensor::Dtype;
use half::f16;
use proptest::prelude::*;
use tempfile::{TempDir, tempdir};

use self::fixture::{Ctranslate2, DIMS, Tensors, golden, model};
use super::*;

/// Spoiled files to try; a hundred times as many found nothing either.
const CASES: u32 = 300;

/// Converts a file or folder and reads the result back.
fn converted(source: &Path) -> Result<Weights, Error> {
    let into = tempdir().unwrap();
    convert(source, into.path(), &mut |_, _| ())?;
    Weights::open(into.path())
}

/// As [`converted`], for a file of these bytes. Its name says nothing.
fn converted_bytes(bytes: &[u8]) -> Result<Weights, Error> {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("file"), bytes).unwrap();
    converted(&folder.path().join("file"))
}

#[track_caller]
fn assert_is(weights: &Weights, expected: &Tensors) {
    assert_eq!(*weights.dims(), DIMS);
    for (name, (shape, values)) in expected {
        assert_eq!(&weights.f16(name, shape).unwrap(), values, "{name}");
        let floats: Vec<f32> = values.iter().map(|x| x.to_f32()).collect();
        assert_eq!(weights.f32(name, shape).unwrap(), floats, "{name}");
    }
}

fn openai(name: &str) -> String {
    name.into()
}

fn hugging_face(name: &str) -> String {
    format!("model.{}", names::hugging_face(name))
}

#[test]
fn pytorch_checkpoints_give_the_model() {
    assert_is(&converted(&golden("checkpoint.pt")).unwrap(), &model());
    assert_is(&converted(&golden("checkpoint_legacy.pt")).unwrap(), &model());
}

#[test]
fn safetensors_of_all_types_and_names_give_the_model() {
    for dtype in [Dtype::F16, Dtype::F32, Dtype::F64] {
        for names in [openai, hugging_face, names::hugging_face] {
            let bytes = fixture::safetensors(&model(), dtype, names);
            assert_is(&converted_bytes(&bytes).unwrap(), &model());
        }
    }
}

#[test]
fn brain_floats_keep_the_precision_they_have() {
    let bytes = fixture::safetensors(&model(), Dtype::BF16, openai);
    let rounded = model().into_iter().map(|(name, (shape, values))| {
        let round = |x: &f16| f16::from_f32(half::bf16::from_f32(x.to_f32()).to_f32());
        (name, (shape, values.iter().map(round).collect()))
    });
    assert_is(&converted_bytes(&bytes).unwrap(), &rounded.collect());
}

#[test]
fn shards_give_the_model() {
    let folder = tempdir().unwrap();
    fixture::write_shards(folder.path());
    assert_is(&converted(folder.path()).unwrap(), &model());
}

#[test]
fn ctranslate2_gives_the_model() {
    for kind in [Ctranslate2::F16, Ctranslate2::I8] {
        assert_is(&converted_bytes(&fixture::ctranslate2(kind)).unwrap(), &model());
    }
}

#[test]
fn whisper_cpps_files_give_the_model() {
    assert_is(&converted_bytes(&fixture::ggml(false)).unwrap(), &model());
    assert_is(&converted_bytes(&fixture::ggml(true)).unwrap(), &model());
}

#[test]
fn kinds_that_are_not_read_are_refused() {
    let mut bytes = fixture::ggml(true);
    let name = b"decoder.blocks.0.attn.key.weight";
    let at = bytes.windows(name.len()).position(|window| window == name).unwrap();
    // The number of the kind stands before the two dimensions: 10 is `q2_k`.
    bytes[at - 12] = 10;
    assert!(matches!(converted_bytes(&bytes), Err(Error::Unsupported { .. })));
}

#[test]
fn a_cache_converts_to_the_same_cache() {
    let (once, twice) = (tempdir().unwrap(), tempdir().unwrap());
    convert(&golden("checkpoint.pt"), once.path(), &mut |_, _| ()).unwrap();
    convert(once.path(), twice.path(), &mut |_, _| ()).unwrap();
    assert_is(&Weights::open(twice.path()).unwrap(), &model());
    assert!(is_cache(twice.path()));
}

#[test]
fn the_same_source_gives_the_same_bytes() {
    let cache = || {
        let into = tempdir().unwrap();
        convert(&golden("checkpoint.pt"), into.path(), &mut |_, _| ()).unwrap();
        fs::read(into.path().join("model.safetensors")).unwrap()
    };
    assert_eq!(cache(), cache());
}

#[test]
fn alignment_heads_come_from_the_config_or_are_the_upper_half() {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("model.bin"), fixture::ctranslate2(Ctranslate2::F16)).unwrap();
    assert_eq!(converted(folder.path()).unwrap().alignment_heads(), [(0, 0)]);
    let heads = |json: &str| {
        fs::write(folder.path().join("config.json"), json).unwrap();
        converted(folder.path()).unwrap().alignment_heads().to_vec()
    };
    assert_eq!(heads(r#"{"alignment_heads": [[0, 0], [0, 0]]}"#), [(0, 0)]);
    assert_eq!(heads(r#"{"alignment_heads": [[7, 7]]}"#), [(0, 0)]);
}

#[test]
fn progress_ends_with_all_bytes_written() {
    let into = tempdir().unwrap();
    let mut steps = Vec::new();
    let progress = &mut |done, total| steps.push((done, total));
    convert(&golden("checkpoint.pt"), into.path(), progress).unwrap();
    let length = fs::metadata(into.path().join("model.safetensors")).unwrap().len();
    assert_eq!(steps.last(), Some(&(length, length)));
    assert!(steps.is_sorted());
}

#[test]
fn a_failed_conversion_leaves_nothing_behind() {
    let mut tensors = model();
    tensors.get_mut("decoder.ln.bias").unwrap().1[3] = f16::NAN;
    let folder = tempdir().unwrap();
    let (source, into) = (folder.path().join("source"), folder.path().join("into"));
    fs::write(&source, fixture::safetensors(&tensors, Dtype::F32, openai)).unwrap();
    let error = convert(&source, &into, &mut |_, _| ()).unwrap_err();
    assert!(matches!(error, Error::Damaged { .. }), "{error}");
    assert_eq!(fs::read_dir(&into).unwrap().count(), 0);
    assert!(!is_cache(&into));
}

#[test]
fn what_a_killed_conversion_left_is_removed() {
    let into = tempdir().unwrap();
    fs::write(into.path().join(".model.safetensors.1"), "half").unwrap();
    convert(&golden("checkpoint.pt"), into.path(), &mut |_, _| ()).unwrap();
    assert_eq!(fs::read_dir(into.path()).unwrap().count(), 1);
}

#[test]
fn a_missing_tensor_is_named() {
    let mut tensors = model();
    tensors.remove("decoder.blocks.0.cross_attn.out.weight");
    let error = converted_bytes(&fixture::safetensors(&tensors, Dtype::F16, hugging_face));
    let error = error.err().unwrap().to_string();
    assert!(error.contains("decoder.blocks.0.cross_attn.out.weight"), "{error}");
}

#[test]
fn a_tensor_of_another_shape_is_refused() {
    let mut tensors = model();
    tensors.insert("encoder.ln_post.bias".into(), (vec![65], vec![f16::ONE; 65]));
    let error = converted_bytes(&fixture::safetensors(&tensors, Dtype::F16, openai)).err().unwrap();
    assert!(matches!(error, Error::Shape { expected, .. } if expected == [64]));
}

#[test]
fn sizes_of_no_whisper_model_are_refused() {
    let mut tensors = model();
    tensors.insert("encoder.conv1.weight".into(), (vec![64, 81, 3], vec![f16::ONE; 64 * 81 * 3]));
    let error = converted_bytes(&fixture::safetensors(&tensors, Dtype::F16, openai)).err().unwrap();
    assert!(matches!(error, Error::Unsupported { .. }), "{error}");
}

#[test]
fn other_files_are_no_models() {
    for bytes in [&b""[..], b"\x7fELF", b"GGUF", b"{}", b"a text of some length", &[0; 64]] {
        let error = converted_bytes(bytes).err().unwrap();
        assert!(matches!(error, Error::UnknownFormat { .. }), "{error}");
    }
    assert!(matches!(converted(tempdir().unwrap().path()), Err(Error::UnknownFormat { .. })));
    assert!(matches!(converted(Path::new("/nowhere/at all")), Err(Error::Io { .. })));
}

#[test]
fn shards_lie_beside_their_index() {
    let folder = tempdir().unwrap();
    let index = r#"{"weight_map": {"decoder.positional_embedding": "../elsewhere"}}"#;
    fs::write(folder.path().join("model.safetensors.index.json"), index).unwrap();
    assert!(matches!(converted(folder.path()), Err(Error::Damaged { .. })));
}

/// Every format once, to be spoiled.
fn samples() -> Vec<Vec<u8>> {
    let into = tempdir().unwrap();
    convert(&golden("checkpoint.pt"), into.path(), &mut |_, _| ()).unwrap();
    vec![
        fs::read(golden("checkpoint.pt")).unwrap(),
        fs::read(golden("checkpoint_legacy.pt")).unwrap(),
        fixture::ctranslate2(Ctranslate2::F16),
        fixture::ctranslate2(Ctranslate2::I8),
        fixture::ggml(true),
        fixture::safetensors(&model(), Dtype::F16, hugging_face),
        fs::read(into.path().join("model.safetensors")).unwrap(),
    ]
}

/// A cache folder with a file of these bytes, read as far as it goes.
fn read_cache(bytes: &[u8]) {
    let folder: TempDir = tempdir().unwrap();
    fs::write(folder.path().join("model.safetensors"), bytes).unwrap();
    if let Ok(weights) = Weights::open(folder.path()) {
        for (name, shape) in parameters::parameters(weights.dims()) {
            if let Err(error) = weights.f32(&name, &shape) {
                assert!(matches!(error, Error::Damaged { .. }), "{error}");
            }
        }
    }
}

#[test]
fn spoiled_files_are_errors_and_never_panics() {
    let samples = samples();
    // Most bytes are values, which may be anything: the tables stand at the start and the end.
    let place = prop_oneof![0..2000usize, any::<usize>()];
    let edit = (place, any::<bool>(), any::<u8>());
    let edits = prop::collection::vec(edit, 1..6);
    let cut = prop::option::of(any::<prop::sample::Index>());
    let config = ProptestConfig::with_cases(CASES);
    proptest!(config, |(which in 0..samples.len(), edits in edits, cut in cut)| {
        let mut bytes = samples[which].clone();
        let length = bytes.len();
        for (at, from_end, value) in edits {
            let at = at % length;
            bytes[if from_end { length - 1 - at } else { at }] = value;
        }
        bytes.truncate(cut.map_or(length, |cut| cut.index(length)));
        drop(converted_bytes(&bytes));
        read_cache(&bytes);
    });
}
