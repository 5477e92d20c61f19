//! What is minimised, from its keys.

use stateset_algo::{
    Cispo, Clip, Gepo, Gmpo, RatioLevel, Reinforce, Sapo, Surrogate, Vespo, VespoShape,
};

use super::super::reader::Reader;

const CLIP: &str = "training.clip_ratio";

/// The surrogate. A trust region is what holds its policy back, so its ratio has no clip.
pub(super) fn resolve(reader: &mut Reader, has_trust_region: bool) -> Surrogate {
    match reader.text("training.surrogate") {
        "gspo_token" => Surrogate::GspoToken(clip(reader)),
        "cispo" => Surrogate::Cispo(Cispo {
            min: reader.number("training.cispo_min"),
            max: reader.number("training.cispo_max"),
            level: level(reader),
        }),
        "sapo" => Surrogate::Sapo(Sapo {
            tau_positive: reader.number("training.sapo_temperature_pos"),
            tau_negative: reader.number("training.sapo_temperature_neg"),
            level: level(reader),
        }),
        "vespo" => Surrogate::Vespo(Vespo {
            positive: VespoShape {
                k: reader.number("training.vespo_k_pos"),
                lambda: reader.number("training.vespo_lambda_pos"),
            },
            negative: VespoShape {
                k: reader.number("training.vespo_k_neg"),
                lambda: reader.number("training.vespo_lambda_neg"),
            },
        }),
        "gmpo" => Surrogate::Gmpo(Gmpo { width: reader.number("training.gmpo_width") }),
        "gepo" => {
            let kl_gate = reader.optional_number("training.gepo_kl_gate");
            Surrogate::Gepo(Gepo { clip: clip(reader), kl_gate })
        }
        "reinforce" => Surrogate::Reinforce(Reinforce {
            max_weight: reader.optional_number("training.reinforce_max_weight"),
        }),
        _ if has_trust_region => {
            let open = Clip { low: 1.0, high: f64::MAX, delta: None };
            Surrogate::Clip { clip: open, level: level(reader) }
        }
        _ => Surrogate::Clip { level: level(reader), clip: clip(reader) },
    }
}

fn level(reader: &Reader) -> RatioLevel {
    match reader.text("training.importance_sampling_level") {
        "sequence" => RatioLevel::Sequence,
        "product" => RatioLevel::Product,
        _ => RatioLevel::Token,
    }
}

fn clip(reader: &mut Reader) -> Clip {
    let low = reader.number(CLIP);
    if low > 1.0 && reader.is_own(CLIP) {
        reader.warn(&[CLIP], "a ratio cannot fall by more than 1; 0.2 is usual");
    }
    let high = reader.optional_number("training.clip_ratio_high").unwrap_or(low);
    Clip { low, high, delta: reader.optional_number("training.clip_delta") }
}
