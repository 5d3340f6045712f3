;; out (rows × m) = x (rows × inner) · w (inner × m), or with `add` that much more; all float64, in one memory.
;; x[r, k] lies at r · down + k · across, so that a matrix can be read as its transpose; of each row of x the numbers
;; that are not 0 are gathered first: relu makes half of them 0. All places and strides are in bytes.
(module
  (import "space" "memory" (memory 1))
  (func (export "product")
    (param $out i32) (param $x i32) (param $rows i32) (param $inner i32) (param $down i32) (param $across i32)
    (param $w i32) (param $m i32) (param $add i32) (param $scratch i32)
    (local $k i32) (local $at i32) (local $end i32) (local $t i32) (local $j i32) (local $row i32) (local $pairs i32)
    (local $p0 i32) (local $p1 i32) (local $p2 i32) (local $p3 i32) (local $f f64)
    (local $f0 v128) (local $f1 v128) (local $f2 v128) (local $f3 v128)
    (local.set $row (i32.shl (local.get $m) (i32.const 3)))
    (local.set $pairs (i32.and (local.get $row) (i32.const -16)))
    (block $done (loop $next
      (br_if $done (i32.eqz (local.get $rows)))
      (local.set $rows (i32.sub (local.get $rows) (i32.const 1)))
      ;; gather: 16 bytes each, the factor and where its row of w begins
      (local.set $end (local.get $scratch))
      (local.set $at (local.get $x))
      (local.set $p0 (local.get $w))
      (local.set $k (local.get $inner))
      (loop $gather
        (local.set $f (f64.load (local.get $at)))
        (if (f64.ne (local.get $f) (f64.const 0)) (then
          (f64.store (local.get $end) (local.get $f))
          (i32.store offset=8 (local.get $end) (local.get $p0))
          (local.set $end (i32.add (local.get $end) (i32.const 16)))))
        (local.set $at (i32.add (local.get $at) (local.get $across)))
        (local.set $p0 (i32.add (local.get $p0) (local.get $row)))
        (br_if $gather (local.tee $k (i32.sub (local.get $k) (i32.const 1)))))
      (if (i32.eqz (local.get $add)) (then (memory.fill (local.get $out) (i32.const 0) (local.get $row))))
      ;; fill up to a multiple of four, with a factor of 0
      (local.set $p0 (local.get $w))
      (block $full (loop $more
        (br_if $full (i32.eqz (i32.and (i32.sub (local.get $end) (local.get $scratch)) (i32.const 63))))
        (f64.store (local.get $end) (f64.const 0))
        (i32.store offset=8 (local.get $end) (local.get $w))
        (local.set $end (i32.add (local.get $end) (i32.const 16)))
        (br $more)))
      ;; four rows of w for each look at out
      (local.set $t (local.get $scratch))
      (block $all (loop $four
        (br_if $all (i32.eq (local.get $t) (local.get $end)))
        (local.set $f0 (f64x2.splat (f64.load (local.get $t))))
        (local.set $p0 (i32.load offset=8 (local.get $t)))
        (local.set $f1 (f64x2.splat (f64.load offset=16 (local.get $t))))
        (local.set $p1 (i32.load offset=24 (local.get $t)))
        (local.set $f2 (f64x2.splat (f64.load offset=32 (local.get $t))))
        (local.set $p2 (i32.load offset=40 (local.get $t)))
        (local.set $f3 (f64x2.splat (f64.load offset=48 (local.get $t))))
        (local.set $p3 (i32.load offset=56 (local.get $t)))
        (local.set $t (i32.add (local.get $t) (i32.const 64)))
        (local.set $j (i32.const 0))
        (block $even (loop $pair
          (br_if $even (i32.eq (local.get $j) (local.get $pairs)))
          (v128.store (i32.add (local.get $out) (local.get $j))
            (f64x2.add (v128.load (i32.add (local.get $out) (local.get $j)))
              (f64x2.add
                (f64x2.add
                  (f64x2.mul (local.get $f0) (v128.load (i32.add (local.get $p0) (local.get $j))))
                  (f64x2.mul (local.get $f1) (v128.load (i32.add (local.get $p1) (local.get $j)))))
                (f64x2.add
                  (f64x2.mul (local.get $f2) (v128.load (i32.add (local.get $p2) (local.get $j))))
                  (f64x2.mul (local.get $f3) (v128.load (i32.add (local.get $p3) (local.get $j))))))))
          (local.set $j (i32.add (local.get $j) (i32.const 16)))
          (br $pair)))
        (if (i32.ne (local.get $pairs) (local.get $row)) (then
          (f64.store (i32.add (local.get $out) (local.get $j))
            (f64.add (f64.load (i32.add (local.get $out) (local.get $j)))
              (f64.add
                (f64.add
                  (f64.mul (f64x2.extract_lane 0 (local.get $f0)) (f64.load (i32.add (local.get $p0) (local.get $j))))
                  (f64.mul (f64x2.extract_lane 0 (local.get $f1)) (f64.load (i32.add (local.get $p1) (local.get $j)))))
                (f64.add
                  (f64.mul (f64x2.extract_lane 0 (local.get $f2)) (f64.load (i32.add (local.get $p2) (local.get $j))))
                  (f64.mul (f64x2.extract_lane 0 (local.get $f3)) (f64.load (i32.add (local.get $p3) (local.get $j))))))))))
        (br $four)))
      (local.set $out (i32.add (local.get $out) (local.get $row)))
      (local.set $x (i32.add (local.get $x) (local.get $down)))
      (br $next)))))
