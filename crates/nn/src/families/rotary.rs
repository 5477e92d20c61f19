//! Rotary frequencies from a model configuration, in both spellings `transformers` has used:
//! `rope_parameters` (version 5) and `rope_theta` with `rope_scaling` (before).
//!
//! Types default, linear, llama3, yarn and longrope (transformers `modeling_rope_utils.py`). Types
//! whose frequencies change while a sequence grows (dynamic) are refused: a token's log-prob would
//! then depend on what is said after it. Longrope's two sets are chosen once for a run, by the
//! longest sequence it may hold, where `transformers` chooses anew for every call.

use super::json::ConfigJson;
use crate::NnError;
use crate::decoder::RotarySpec;

/// Reads the angles of one kind of layer. `nested` names the entry of `rope_parameters` where a
/// model has several.
pub(super) fn rotary(
    config: &ConfigJson<'_>,
    head_dim: usize,
    nested: Option<&str>,
) -> Result<RotarySpec, NnError> {
    let parameters = match (config.object("rope_parameters")?, nested) {
        (Some(all), Some(name)) => all.object(name)?.or(Some(all)),
        (found, _) => found,
    };
    let scaling = match parameters {
        Some(parameters) => Some(parameters),
        None => config.object("rope_scaling")?,
    };
    let root_theta = config.number("rope_theta", 10_000.0)?;
    let theta = match &scaling {
        Some(scaling) => scaling.number("rope_theta", root_theta)?,
        None => root_theta,
    };
    from_scaling(config, scaling.as_ref(), head_dim, theta)
}

/// Frequencies for a given base, without or with a scaling object.
pub(super) fn from_scaling(
    config: &ConfigJson<'_>,
    scaling: Option<&ConfigJson<'_>>,
    head_dim: usize,
    theta: f64,
) -> Result<RotarySpec, NnError> {
    let partial = match scaling.map(|s| s.number_if_any("partial_rotary_factor")).transpose()? {
        Some(Some(partial)) => partial,
        _ => config.number("partial_rotary_factor", 1.0)?,
    };
    let dim = (head_dim as f64 * partial) as usize;
    if dim < 2 || dim > head_dim || !dim.is_multiple_of(2) {
        let message = format!("it rotates {dim} of {head_dim} dimensions, which must be even");
        return Err(config.error("partial_rotary_factor", message));
    }
    let plain = plain_frequencies(theta, dim);
    let Some(scaling) = scaling else { return Ok(spec(plain, 1.0)) };
    let kind = scaling.text("rope_type")?.or(scaling.text("type")?).unwrap_or("default");
    match kind {
        "default" => Ok(spec(plain, 1.0)),
        "linear" => {
            let factor = required(scaling, "factor")? as f32;
            Ok(spec(plain.iter().map(|f| f / factor).collect(), 1.0))
        }
        "llama3" => llama3(scaling, &plain),
        "yarn" => yarn(config, scaling, theta, dim),
        "longrope" | "su" => longrope(config, scaling, theta, dim),
        other => {
            let known = "default, linear, llama3, yarn, longrope";
            Err(scaling.error("rope_type", format!("found {other:?}, known are {known}")))
        }
    }
}

fn spec(frequencies: Vec<f32>, factor: f64) -> RotarySpec {
    RotarySpec { frequencies, factor, long: None }
}

fn required(config: &ConfigJson<'_>, key: &str) -> Result<f64, NnError> {
    match config.number_if_any(key)? {
        Some(x) if x > 0.0 => Ok(x),
        Some(x) => Err(config.error(key, format!("found {x}, allowed is a number above 0"))),
        None => Err(config.error(key, "it is missing")),
    }
}

/// `1 / theta^(2i / dim)`, with the roundings of single precision.
fn plain_frequencies(theta: f64, dim: usize) -> Vec<f32> {
    powers(theta, dim).map(|power| 1.0 / power).collect()
}

fn powers(theta: f64, dim: usize) -> impl Iterator<Item = f32> {
    (0..dim).step_by(2).map(move |i| {
        let exponent = i as f32 / dim as f32;
        libm::pow(theta, f64::from(exponent)) as f32
    })
}

fn llama3(scaling: &ConfigJson<'_>, plain: &[f32]) -> Result<RotarySpec, NnError> {
    let factor = required(scaling, "factor")?;
    let low = required(scaling, "low_freq_factor")?;
    let high = required(scaling, "high_freq_factor")?;
    let old = required(scaling, "original_max_position_embeddings")?;
    let scaled = |f: &f32| {
        let f = f64::from(*f);
        let wavelength = std::f64::consts::TAU / f;
        if wavelength < old / high {
            return f as f32;
        }
        if wavelength > old / low {
            return (f / factor) as f32;
        }
        let smooth = (old / wavelength - low) / (high - low);
        ((1.0 - smooth) * f / factor + smooth * f) as f32
    };
    Ok(spec(plain.iter().map(scaled).collect(), 1.0))
}

fn yarn(
    config: &ConfigJson<'_>,
    scaling: &ConfigJson<'_>,
    theta: f64,
    dim: usize,
) -> Result<RotarySpec, NnError> {
    let old = required(scaling, "original_max_position_embeddings")?;
    let factor = match scaling.number_if_any("factor")? {
        Some(factor) => factor,
        None => config.size("max_position_embeddings")? as f64 / old,
    };
    let magnitude = |m: f64| if factor <= 1.0 { 1.0 } else { 0.1 * m * libm::log(factor) + 1.0 };
    let scales = (scaling.number_if_any("mscale")?, scaling.number_if_any("mscale_all_dim")?);
    let inferred = match scales {
        (Some(a), Some(b)) if a != 0.0 && b != 0.0 => magnitude(a) / magnitude(b),
        _ => magnitude(1.0),
    };
    let attention = scaling.number("attention_factor", inferred)?;
    let boundary = |rotations: f64| {
        dim as f64 * libm::log(old / (rotations * std::f64::consts::TAU)) / (2.0 * libm::log(theta))
    };
    let mut low = boundary(scaling.number("beta_fast", 32.0)?);
    let mut high = boundary(scaling.number("beta_slow", 1.0)?);
    if scaling.flag("truncate", true)? {
        (low, high) = (low.floor(), high.ceil());
    }
    let (low, mut high) = (low.max(0.0), high.min(dim as f64 - 1.0));
    if low == high {
        high += 0.001;
    }
    let blend = |(i, power): (usize, f32)| {
        let ramp = ((i as f64 - low) / (high - low)).clamp(0.0, 1.0);
        let power = f64::from(power);
        (ramp / (factor * power) + (1.0 - ramp) / power) as f32
    };
    Ok(spec(powers(theta, dim).enumerate().map(blend).collect(), attention))
}

fn longrope(
    config: &ConfigJson<'_>,
    scaling: &ConfigJson<'_>,
    theta: f64,
    dim: usize,
) -> Result<RotarySpec, NnError> {
    let old = match scaling.size_if_any("original_max_position_embeddings")? {
        Some(old) => old,
        None => config.size("original_max_position_embeddings")?,
    };
    let factor = match scaling.number_if_any("factor")? {
        Some(factor) => factor,
        None => config.size("max_position_embeddings")? as f64 / old as f64,
    };
    let inferred =
        if factor <= 1.0 { 1.0 } else { (1.0 + libm::log(factor) / libm::log(old as f64)).sqrt() };
    let scaled = |key: &str| -> Result<Vec<f32>, NnError> {
        let factors = scaling.numbers(key)?;
        if factors.len() != dim / 2 {
            let message = format!("it has {} numbers, needed are {}", factors.len(), dim / 2);
            return Err(scaling.error(key, message));
        }
        Ok(powers(theta, dim).zip(factors).map(|(p, f)| 1.0 / (f as f32 * p)).collect())
    };
    Ok(RotarySpec {
        frequencies: scaled("short_factor")?,
        factor: scaling.number("attention_factor", inferred)?,
        long: Some((old, scaled("long_factor")?)),
    })
}
