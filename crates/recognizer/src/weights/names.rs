//! OpenAI's tensor names → those of Hugging Face and CTranslate2.

/// What stands in front of the names, by who saved the model.
const PREFIXES: [&str; 5] = ["", "model.", "model_state_dict.", "state_dict.", "module."];

/// How a file names its tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Naming {
    prefix: &'static str,
    is_hugging_face: bool,
}

impl Naming {
    /// Finds the naming under which the file has the decoder's positions; OpenAI's if none.
    pub(super) fn find(has: impl Fn(&str) -> bool) -> Self {
        let namings = [false, true]
            .into_iter()
            .flat_map(|is_hugging_face| PREFIXES.map(|prefix| Self { prefix, is_hugging_face }));
        let plain = Self { prefix: "", is_hugging_face: false };
        namings
            .into_iter()
            .find(|naming| has(&naming.native("decoder.positional_embedding")))
            .unwrap_or(plain)
    }

    /// OpenAI's name → the file's.
    pub(super) fn native(self, name: &str) -> String {
        match self.is_hugging_face {
            true => format!("{}{}", self.prefix, hugging_face(name)),
            false => format!("{}{name}", self.prefix),
        }
    }

    pub(super) fn whose(self) -> &'static str {
        if self.is_hugging_face { "Hugging Face's" } else { "OpenAI's" }
    }
}

/// `encoder.blocks.0.attn.query.weight` → `encoder.layers.0.self_attn.q_proj.weight`.
pub(super) fn hugging_face(name: &str) -> String {
    let Some((half, layer, rest)) = in_block(name) else {
        return match name {
            "encoder.positional_embedding" => "encoder.embed_positions.weight".into(),
            "decoder.positional_embedding" => "decoder.embed_positions.weight".into(),
            "decoder.token_embedding.weight" => "decoder.embed_tokens.weight".into(),
            _ => name.replace(".ln_post.", ".layer_norm.").replace(".ln.", ".layer_norm."),
        };
    };
    let (module, kind) = rest.rsplit_once('.').unwrap_or((rest, ""));
    let module = match module {
        "attn_ln" => "self_attn_layer_norm".into(),
        "cross_attn_ln" => "encoder_attn_layer_norm".into(),
        "mlp.0" => "fc1".into(),
        "mlp.2" => "fc2".into(),
        "mlp_ln" => "final_layer_norm".into(),
        _ => module
            .replace("cross_attn.", "encoder_attn.")
            .replace("query", "q_proj")
            .replace("key", "k_proj")
            .replace("value", "v_proj")
            .replace("out", "out_proj"),
    };
    let module = match module.strip_prefix("attn.") {
        Some(projection) => format!("self_attn.{projection}"),
        None => module,
    };
    format!("{half}.layers.{layer}.{module}.{kind}")
}

/// Which rows of a fused CTranslate2 variable: the `part`-th of `of` equal parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rows {
    pub(super) part: usize,
    pub(super) of: usize,
}

const ALL: Rows = Rows { part: 0, of: 1 };

/// `encoder.blocks.0.attn.query.weight` → `encoder/layer_0/self_attention/linear_0/weight`, the
/// first of three parts: CTranslate2 fuses the projections that share an input.
pub(super) fn ctranslate2(name: &str) -> (String, Rows) {
    let Some((half, layer, rest)) = in_block(name) else {
        let name = match name {
            "encoder.positional_embedding" => "encoder/position_encodings/encodings".into(),
            "decoder.positional_embedding" => "decoder/position_encodings/encodings".into(),
            "decoder.token_embedding.weight" => "decoder/embeddings/weight".into(),
            "encoder.ln_post.weight" | "decoder.ln.weight" => {
                format!("{}/layer_norm/gamma", &name[..7])
            }
            "encoder.ln_post.bias" | "decoder.ln.bias" => format!("{}/layer_norm/beta", &name[..7]),
            _ => name.replace('.', "/"),
        };
        return (name, ALL);
    };
    let (module, kind) = rest.rsplit_once('.').unwrap_or((rest, ""));
    let third = |part| Rows { part, of: 3 };
    let half_of = |part| Rows { part, of: 2 };
    let (module, rows) = match module {
        "attn.query" => ("self_attention/linear_0", third(0)),
        "attn.key" => ("self_attention/linear_0", third(1)),
        "attn.value" => ("self_attention/linear_0", third(2)),
        "attn.out" => ("self_attention/linear_1", ALL),
        "attn_ln" => ("self_attention/layer_norm", ALL),
        "cross_attn.query" => ("attention/linear_0", ALL),
        "cross_attn.key" => ("attention/linear_1", half_of(0)),
        "cross_attn.value" => ("attention/linear_1", half_of(1)),
        "cross_attn.out" => ("attention/linear_2", ALL),
        "cross_attn_ln" => ("attention/layer_norm", ALL),
        "mlp.0" => ("ffn/linear_0", ALL),
        "mlp.2" => ("ffn/linear_1", ALL),
        "mlp_ln" => ("ffn/layer_norm", ALL),
        _ => (module, ALL),
    };
    let kind = match (module.ends_with("layer_norm"), kind) {
        (true, "weight") => "gamma",
        (true, "bias") => "beta",
        _ => kind,
    };
    (format!("{half}/layer_{layer}/{module}/{kind}"), rows)
}

/// `encoder.blocks.3.mlp.0.bias` → (`encoder`, `3`, `mlp.0.bias`).
fn in_block(name: &str) -> Option<(&str, &str, &str)> {
    let (half, rest) = name.split_once(".blocks.")?;
    let (layer, rest) = rest.split_once('.')?;
    Some((half, layer, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_tensor_has_its_name_at_hugging_face() {
        for (ours, theirs) in [
            ("encoder.conv1.weight", "encoder.conv1.weight"),
            ("encoder.ln_post.bias", "encoder.layer_norm.bias"),
            ("decoder.ln.weight", "decoder.layer_norm.weight"),
            ("decoder.token_embedding.weight", "decoder.embed_tokens.weight"),
            ("encoder.positional_embedding", "encoder.embed_positions.weight"),
            ("encoder.blocks.3.attn.query.bias", "encoder.layers.3.self_attn.q_proj.bias"),
            ("encoder.blocks.3.attn.out.weight", "encoder.layers.3.self_attn.out_proj.weight"),
            (
                "decoder.blocks.11.cross_attn.key.weight",
                "decoder.layers.11.encoder_attn.k_proj.weight",
            ),
            (
                "decoder.blocks.0.cross_attn_ln.bias",
                "decoder.layers.0.encoder_attn_layer_norm.bias",
            ),
            ("decoder.blocks.0.attn_ln.bias", "decoder.layers.0.self_attn_layer_norm.bias"),
            ("decoder.blocks.0.mlp.2.bias", "decoder.layers.0.fc2.bias"),
            ("decoder.blocks.0.mlp_ln.weight", "decoder.layers.0.final_layer_norm.weight"),
        ] {
            assert_eq!(hugging_face(ours), theirs);
        }
    }

    #[test]
    fn fused_projections_are_taken_apart() {
        let (name, rows) = ctranslate2("decoder.blocks.2.cross_attn.value.bias");
        assert_eq!(name, "decoder/layer_2/attention/linear_1/bias");
        assert_eq!(rows, Rows { part: 1, of: 2 });
        let (name, rows) = ctranslate2("encoder.blocks.0.attn.key.weight");
        assert_eq!(name, "encoder/layer_0/self_attention/linear_0/weight");
        assert_eq!(rows, Rows { part: 1, of: 3 });
        assert_eq!(ctranslate2("encoder.ln_post.weight"), ("encoder/layer_norm/gamma".into(), ALL));
    }
}
