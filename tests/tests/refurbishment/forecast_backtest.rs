//! The forecast held against years that it did not see: how often what came lay inside its bands. What is compared and how
//! stands in `cartable_tests::calibration`; `--bench forecast` prints its table.

use cartable_tests::calibration::{self, Trial};

#[test]
fn what_came_lies_inside_the_bands_about_as_often_as_they_say() {
    let calibration = calibration::run(&Trial::default());
    let (all, table) = (calibration.all(), calibration.told());
    assert!((75..=100).contains(&all.percent_in_nine()), "the 90 % band\n{table}");
    assert!((30..=75).contains(&all.percent_in_half()), "the 50 % band\n{table}");
    assert!(all.mean_bias().abs() < 0.15, "bias\n{table}");
}
