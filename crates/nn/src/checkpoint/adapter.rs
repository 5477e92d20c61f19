//! LoRA adapters in PEFT's folder layout: `adapter_config.json` and `adapter_model.safetensors`.

use std::path::Path;

use serde_json::{Value, json};

use super::disk::{Disk, read_limited, write_file};
use super::tensors::Tensors;
use super::write::{Entry, StoreType, write_tensors};
use crate::NnError;
use crate::decoder::{Adapter, AdapterLayout, LoraSpec, ParamLayout};

const CONFIG_BYTES: u64 = 1 << 20;

/// An adapter folder.
pub struct AdapterFiles {
    /// What was adapted and how.
    pub spec: LoraSpec,
    /// Model it belongs to, as its configuration names it.
    pub base_model: Option<String>,
    tensors: Tensors,
}

impl AdapterFiles {
    /// Opens a folder.
    ///
    /// # Errors
    /// [`NnError`] naming the file or setting that is missing, wrong or not supported (DoRA, biases,
    /// ranks that differ between maps).
    pub fn open(folder: &Path) -> Result<AdapterFiles, NnError> {
        let path = folder.join("adapter_config.json");
        let bytes = read_limited(&path, CONFIG_BYTES).map_err(|e| NnError::io("read", &path, e))?;
        let config: Value = serde_json::from_slice(&bytes)
            .map_err(|e| NnError::Damaged { path: path.clone(), message: e.to_string() })?;
        let damaged = |message: String| NnError::Damaged { path: path.clone(), message };
        refuse_unsupported(&config).map_err(damaged)?;
        let rank = config["r"].as_u64().ok_or_else(|| damaged("key `r` is missing".to_owned()))?;
        let targets = match &config["target_modules"] {
            Value::Array(names) => {
                names.iter().filter_map(Value::as_str).map(str::to_owned).collect()
            }
            Value::String(name) if name == "all-linear" => Vec::new(),
            other => {
                let message =
                    format!("key `target_modules`: found {other}, allowed is a list of names");
                return Err(damaged(message));
            }
        };
        let spec = LoraSpec {
            rank: rank as usize,
            alpha: config["lora_alpha"].as_f64().unwrap_or(8.0),
            is_rank_stabilised: config["use_rslora"].as_bool().unwrap_or(false),
            targets,
        };
        let file = folder.join("adapter_model.safetensors");
        let tensors = Tensors::open(&file, std::slice::from_ref(&file))?;
        let base_model = config["base_model_name_or_path"].as_str().map(str::to_owned);
        Ok(AdapterFiles { spec, base_model, tensors })
    }

    /// The adapters of `params` as one flat set.
    ///
    /// # Errors
    /// [`NnError`] for a target the model does not have or a tensor that does not fit.
    pub fn read(&self, params: &ParamLayout) -> Result<(AdapterLayout, Vec<f32>), NnError> {
        let layout = AdapterLayout::new(params, self.spec.clone())?;
        let mut set = vec![0.0; layout.len()];
        for adapter in layout.adapters() {
            for (name, start, shape) in parts(&layout, adapter) {
                match self.tensors.shape(&name) {
                    Some(found) if found == shape => {}
                    Some(found) => {
                        let message = format!("its shape is {found:?}, the model needs {shape:?}");
                        return Err(self.tensors.error(&name, message));
                    }
                    None => return Err(self.tensors.error(&name, "it is missing")),
                }
                let numbers = self.tensors.read(&name)?;
                set[start..start + numbers.len()].copy_from_slice(&numbers);
            }
        }
        Ok((layout, set))
    }
}

/// Writes an adapter folder; returns the SHA-256 of the tensors' file.
///
/// # Errors
/// [`NnError::Io`] naming the file.
pub fn save_adapter(
    disk: &dyn Disk,
    folder: &Path,
    base_model: &str,
    layout: &AdapterLayout,
    set: &[f32],
) -> Result<String, NnError> {
    let mut targets: Vec<&str> =
        layout.adapters().iter().filter_map(|a| a.module.rsplit('.').next()).collect();
    targets.sort_unstable();
    targets.dedup();
    let config = json!({
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base_model,
        "r": layout.spec.rank,
        "lora_alpha": layout.spec.alpha,
        "lora_dropout": 0.0,
        "use_rslora": layout.spec.is_rank_stabilised,
        "use_dora": false,
        "bias": "none",
        "fan_in_fan_out": false,
        "inference_mode": true,
        "target_modules": targets,
    });
    let path = folder.join("adapter_config.json");
    let text = format!("{config:#}\n");
    write_file(disk, &path, text.as_bytes()).map_err(|e| NnError::io("write", &path, e))?;
    let mut entries = Vec::new();
    for adapter in layout.adapters() {
        for (name, start, shape) in parts(layout, adapter) {
            let len: usize = shape.iter().product();
            let read = Box::new(move || set[start..start + len].to_vec());
            entries.push(Entry { name, shape, read });
        }
    }
    let path = folder.join("adapter_model.safetensors");
    write_tensors(disk, &path, entries, StoreType::F32).map_err(|e| NnError::io("write", &path, e))
}

/// PEFT's names of A and B with their places and shapes.
fn parts(layout: &AdapterLayout, adapter: &Adapter) -> [(String, usize, Vec<usize>); 2] {
    let name = |part: &str| format!("base_model.model.{}.{part}.weight", adapter.module);
    let rank = layout.spec.rank;
    let [a, b] = layout.offsets(adapter);
    [(name("lora_A"), a, vec![rank, adapter.cols]), (name("lora_B"), b, vec![adapter.rows, rank])]
}

fn refuse_unsupported(config: &Value) -> Result<(), String> {
    let kind = config["peft_type"].as_str().unwrap_or("(absent)");
    if kind != "LORA" {
        return Err(format!("key `peft_type`: found {kind:?}, allowed is \"LORA\""));
    }
    if config["use_dora"].as_bool() == Some(true) {
        return Err("key `use_dora`: found true, allowed is false".to_owned());
    }
    if config["bias"].as_str().is_some_and(|bias| bias != "none") {
        return Err(format!("key `bias`: found {}, allowed is \"none\"", config["bias"]));
    }
    for key in ["rank_pattern", "alpha_pattern", "modules_to_save", "layers_to_transform"] {
        let value = &config[key];
        let is_empty = value.is_null()
            || value.as_object().is_some_and(|map| map.is_empty())
            || value.as_array().is_some_and(Vec::is_empty);
        if !is_empty {
            return Err(format!("key `{key}`: found {value}, allowed is nothing"));
        }
    }
    Ok(())
}
