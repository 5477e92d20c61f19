//! Conjugate gradients: solves H x = g from products with H alone (Hestenes and Stiefel 1952).
//!
//! It starts from 0, where sb3-contrib starts from noise of 1e-4: a run is a value. Vectors are those of
//! a model and therefore `f32`; sums are taken in `f64`.

/// Settings of the solver.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConjugateGradient {
    /// Most products with H.
    pub iterations: usize,
    /// Squared norm of the residual at which the solution is good enough.
    pub residual: f64,
}

/// A solution.
#[derive(Clone, Debug, PartialEq)]
pub struct Direction {
    /// x.
    pub x: Vec<f32>,
    /// Squared norm of g - H x at the end.
    pub residual: f64,
    /// Products that were taken.
    pub n_products: usize,
}

impl ConjugateGradient {
    /// Solves H x = g. `product` gives H v; its error ends the search and is handed on. A direction of
    /// no or negative curvature ends it with what was found so far.
    ///
    /// # Errors
    /// Whatever `product` fails with.
    pub fn solve<E>(
        &self,
        g: &[f32],
        mut product: impl FnMut(&[f32]) -> Result<Vec<f32>, E>,
    ) -> Result<Direction, E> {
        let mut x = vec![0.0f32; g.len()];
        let (mut rest, mut towards) = (g.to_vec(), g.to_vec());
        let mut residual = dot(&rest, &rest);
        let mut n_products = 0;
        while n_products < self.iterations && residual > self.residual {
            let h_towards = product(&towards)?;
            n_products += 1;
            let curvature = dot(&towards, &h_towards);
            if curvature.is_nan() || curvature <= 0.0 {
                break;
            }
            let length = residual / curvature;
            add(&mut x, length, &towards);
            add(&mut rest, -length, &h_towards);
            let next = dot(&rest, &rest);
            let share = (next / residual) as f32;
            for (direction, rest) in towards.iter_mut().zip(&rest) {
                *direction = rest + share * *direction;
            }
            residual = next;
        }
        Ok(Direction { x, residual, n_products })
    }
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

fn add(to: &mut [f32], factor: f64, from: &[f32]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = (f64::from(*to) + factor * f64::from(*from)) as f32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn solve(iterations: usize) -> Direction {
        let product = |v: &[f32]| Ok::<_, ()>(vec![4.0 * v[0] + v[1], v[0] + 3.0 * v[1]]);
        ConjugateGradient { iterations, residual: 1e-10 }.solve(&[1.0, 2.0], product).unwrap()
    }

    #[test]
    fn golden_two_by_two() {
        let first = solve(1).x;
        assert!((first[0] - 0.25).abs() < 1e-6 && (first[1] - 0.5).abs() < 1e-6);
        let second = solve(15);
        assert!((second.x[0] - 0.090909).abs() < 1e-6 && (second.x[1] - 0.636364).abs() < 1e-6);
        assert!(second.n_products <= 3 && second.residual < 1e-10);
    }

    #[test]
    fn nothing_to_climb_takes_no_product() {
        let solver = ConjugateGradient { iterations: 15, residual: 1e-10 };
        let never = |_: &[f32]| -> Result<Vec<f32>, ()> { panic!("asked for a product") };
        assert_eq!(solver.solve(&[0.0, 0.0], never).unwrap().x, [0.0, 0.0]);
    }

    #[test]
    fn curvature_that_is_not_positive_ends_the_search() {
        let solver = ConjugateGradient { iterations: 15, residual: 1e-10 };
        for sign in [-1.0, f32::NAN] {
            let product = |v: &[f32]| Ok::<_, ()>(v.iter().map(|x| sign * x).collect());
            let found = solver.solve(&[1.0], product).unwrap();
            assert_eq!((found.x[0], found.n_products), (0.0, 1));
        }
        assert_eq!(solver.solve(&[1.0], |_| Err("broken")), Err("broken"));
    }
}
