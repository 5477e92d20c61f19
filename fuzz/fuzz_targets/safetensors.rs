//! Tensor files. What opens can be read to its last tensor, or says why not.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stateset_nn::Tensors;

fuzz_target!(|data: &[u8]| {
    let Ok(folder) = tempfile::tempdir() else { return };
    let path = folder.path().join("model.safetensors");
    if std::fs::write(&path, data).is_err() {
        return;
    }
    let Ok(tensors) = Tensors::open(folder.path(), &[path]) else { return };
    let names: Vec<String> = tensors.names().map(str::to_owned).collect();
    for name in names {
        let n_numbers = tensors.shape(&name).map(|shape| shape.iter().product::<usize>());
        if let Ok(numbers) = tensors.read(&name) {
            assert_eq!(Some(numbers.len()), n_numbers);
        }
    }
});
